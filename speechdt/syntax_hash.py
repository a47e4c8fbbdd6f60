"""Hash of what a Python file does: of its syntax tree, without comments, docstrings and layout.

The tree is written out here and not by `ast.dump`, whose text differs between versions of Python.
"""

import ast
import hashlib
from typing import Any


def syntax_hash(tree: ast.Module, *, keep_texts: bool = False) -> bytes:
    """Hash a syntax tree, which is changed: statements that are a text alone go.

    Parameters
    ----------
    tree : ast.Module
    keep_texts : bool
        Whether they stay, as in a file that reads its docstrings.
    """
    if not keep_texts:
        _drop_texts(tree)
    return hashlib.sha256(_written(tree).encode(errors="surrogatepass")).digest()


def _drop_texts(tree: ast.AST) -> None:
    """Take out the statements that are a text alone."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_text(statement)]  # type: ignore[attr-defined]


def _is_text(statement: ast.AST) -> bool:
    value = getattr(statement, "value", None) if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _written(node: Any) -> str:
    """Return a node as text; what is empty is left out, as older versions know no such field."""
    if isinstance(node, list):
        return f"[{','.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = (
        f"{name}={_written(value)}"
        for name, value in ast.iter_fields(node)
        if value is not None and value != []
    )
    return f"{type(node).__name__}({','.join(fields)})"
