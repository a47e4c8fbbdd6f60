"""Hash of the code that a stage runs, so that an edit reruns that stage and its successors alone.

Snakemake sees edits of a rule and of its script, not of the modules that the script imports; each
rule therefore carries :func:`code_hash` as a parameter.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def code_hash(*files: Path | str) -> str:
    """Hash Python files and all modules of speechdt that they import, directly or not.

    What is imported from the package itself (``from speechdt import stage``) is the plugin
    contract: it computes nothing and is left out.
    """
    digest = hashlib.sha256()
    for path in sorted(_closure({Path(file).resolve() for file in files})):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def imported_versions(files: Iterable[Path]) -> dict[str, str]:
    """Return the versions of the installed packages that Python files import, by package."""
    roots = {name.split(".")[0] for file in files for name in _imports(file)}
    packages = packages_distributions()
    found = {package for root in roots for package in packages.get(root, [])} - {"speechdt"}
    return {package: version(package) for package in sorted(found)}


def _closure(files: set[Path]) -> set[Path]:
    seen: set[Path] = set()
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [module for name in _imports(path) for module in _modules(name)]
    return seen


def _modules(name: str) -> list[Path]:
    """Return the files that an import of a name below speechdt runs, its packages' own included."""
    root, *below = name.split(".")
    if root != PACKAGE.name:
        return []
    stems = [PACKAGE.joinpath(*below[:depth]) for depth in range(1, len(below) + 1)]
    files = [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    return [file for file in files if file.exists()]


def _imports(path: Path) -> frozenset[str]:
    return _parsed_imports(path, path.stat().st_mtime_ns)


@cache
def _parsed_imports(path: Path, _changed: int) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)
