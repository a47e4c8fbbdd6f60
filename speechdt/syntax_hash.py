"""Hash of a Python file's syntax tree, without comments, docstrings and layout.

The tree is written out here and not by `ast.dump`, whose text differs between versions of Python.
"""

import ast
import hashlib
from typing import Any


def syntax_hash(tree: ast.Module, *, keep_texts: bool = False) -> bytes:
    """Hash a syntax tree, but for statements that are a text alone.

    Parameters
    ----------
    tree : ast.Module
    keep_texts : bool
        Whether they count, as in a file that reads its docstrings.
    """
    return hashlib.sha256(_written(tree, keep_texts).encode(errors="surrogatepass")).digest()


def _is_text(statement: ast.AST) -> bool:
    value = getattr(statement, "value", None) if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _written(node: Any, keep_texts: bool) -> str:
    """Return a node as text; what is empty is left out, as older versions know no such field."""
    if isinstance(node, list):
        return f"[{','.join([_written(one, keep_texts) for one in node])}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name in node._fields:
        value = getattr(node, name, None)
        if name == "body" and not keep_texts and isinstance(value, list):
            value = [statement for statement in value if not _is_text(statement)]
        if value is not None and value != []:
            fields.append(f"{name}={_written(value, keep_texts)}")
    return f"{type(node).__name__}({','.join(fields)})"
