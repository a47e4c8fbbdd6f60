"""Hash of the code that a stage runs, so that an edit reruns that stage and its successors alone.

Snakemake sees edits of a rule and of its script, not of the modules that the script imports; each
rule therefore carries :func:`code_hash` as a parameter. What counts of a Python file is its syntax
tree: comments, docstrings and layout rerun nothing.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Self

from speechdt.parsed_source import parsed

PACKAGE = Path(__file__).resolve().parent
AROUND = (
    *("workflow/*", "errors.py", "code_hash.py", "parsed_source.py", "syntax_hash.py"),
    *("store.py", "files.py", "checksums.py", "progress.py", "gpu_driver.py", "http_client.py"),
    *("detectors/plugins.py", "detectors/packages.py"),
    *("detectors/contract.py", "detectors/signature.py", "detectors/stages.py"),
    *("detectors/isolated.py", "detectors/worker.py", "detectors/exchange.py"),
)
"""Modules that no figure depends on: the frame of jobs, how plugins are found and options checked,
databases and connections that give back what was put in. They are in no hash unless asked for."""


class Code(str):
    """Hash of some code, with those of its files.

    Attributes
    ----------
    files : dict of str to str
        Hash of each file, by its path below the library, or by its folder and name.
    """

    files: dict[str, str]

    def __new__(cls, files: Mapping[str, str]) -> Self:
        """Hash files by their names and hashes."""
        lines = "\n".join(f"{name} {digest}" for name, digest in sorted(files.items()))
        self = super().__new__(cls, hashlib.sha256(lines.encode()).hexdigest()[:16])
        self.files = dict(sorted(files.items()))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to the process of a job with the files."""
        return Code, (self.files,)


def code_hash(*files: Path | str, also: Iterable[str] = ()) -> Code:
    """Hash Python files and all modules of speechdt that they import, directly or not.

    What is imported from the package itself (``from speechdt import stage``) is the plugin
    contract: it computes nothing and is left out, as are the modules of `AROUND`.

    Parameters
    ----------
    *files : path
    also : iterable of str
        Modules of `AROUND` that count here, by their path below the library.
    """
    counted = set(also)

    def of_library(_path: Path, name: str) -> Iterator[Path]:
        for below, file in _of_library(PACKAGE, name):
            if below in counted or not _is_around(below):
                yield file

    hashes: dict[str, str] = {}
    for path in sorted(_closure({Path(file).resolve() for file in files}, of_library)):
        name = _name(path)
        while name in hashes:
            name += "'"
        hashes[name] = _file_hash(path).hex()[:16]
    return Code(hashes)


@cache
def _is_around(name: str) -> bool:
    return any(fnmatch(name, around) for around in AROUND)


def _name(path: Path) -> str:
    """Return what a file is called, wherever the checkout lies."""
    if path.is_relative_to(PACKAGE):
        return path.relative_to(PACKAGE).as_posix()
    for above in path.parents:  # of a plugin or a script
        if above.name in ("backends", "scripts"):
            return path.relative_to(above.parent).as_posix()
    return f"{path.parent.name}/{path.name}"


def imported_files(files: Iterable[Path], roots: Mapping[str, Path]) -> list[Path]:
    """Return files and all that they import from beside themselves, directly or not.

    Imports are followed wherever they stand, in functions too: relative ones, absolute ones below
    `roots`, and ``import_module`` of a name that is written out. What is imported brings what lies
    beside it: a package all its files, a module the files of its name (``mine.py``, ``mine.onnx``)
    and those that its text names (``Path(__file__).with_name("weights.npz")``).

    Parameters
    ----------
    files : iterable of Path
        Python files; others are returned as they are.
    roots : mapping of str to Path
        Folder of each top-level package whose absolute imports are followed.

    Returns
    -------
    list of Path
        Sorted.
    """

    def needed(path: Path, name: str) -> Iterator[Path]:
        stem = name.lstrip(".")
        if name.startswith("."):
            folder = path.parents[len(name) - len(stem) - 1]
        else:
            root, _, stem = name.partition(".")
            if root not in roots:
                return
            folder = roots[root]
        for part in filter(None, stem.split(".")):
            folder /= part
            yield from module_files(folder)

    return sorted(_closure(set(files), needed, _named_beside))


def module_files(stem: Path) -> list[Path]:
    """Return the files of a module or package, from its path without suffix, sorted.

    Of a package these are all that lie below its folder, data included; of a module, those of its
    name with any suffix.
    """
    if (stem / "__init__.py").exists():
        return sorted(path for path in stem.rglob("*") if path.is_file() and _is_kept(path, stem))
    if not stem.parent.is_dir():
        return []
    own = (path for path in stem.parent.iterdir() if path.name.split(".")[0] == stem.name)
    return sorted(path for path in own if path.is_file() and _is_kept(path, stem.parent))


def imported_roots(files: Iterable[Path]) -> set[str]:
    """Return the names of the packages that Python files import, but of Python's own."""
    roots = {name.split(".")[0] for file in files for name in _imports(file)}
    return roots - {"speechdt", "", *sys.stdlib_module_names}


def imported_versions(files: Iterable[Path]) -> dict[str, str]:
    """Return the versions of the installed packages that Python files import, by package."""
    roots = imported_roots(files)
    # Of two of one name, the first on the path is imported.
    versions = {
        package.name: package.version
        for root in roots
        for package in reversed(_installed().get(root, []))
    }
    return dict(sorted(versions.items()))


@cache
def _installed() -> Mapping[str, list[Distribution]]:
    """Return the installed packages by the names that they are imported by.

    As `importlib.metadata.packages_distributions`, without a path object for each file: every job
    asks.
    """
    packages: dict[str, list[Distribution]] = {}
    for package in distributions():
        for name in _imported_as(package):
            packages.setdefault(name, []).append(package)
    return packages


def _imported_as(package: Distribution) -> set[str]:
    declared = package.read_text("top_level.txt")
    if declared:
        return set(declared.split())
    record = package.read_text("RECORD") or ""
    files = {line.partition(",")[0].strip('"') for line in record.splitlines()}
    return {file.partition("/")[0].removesuffix(".py") for file in files if file.endswith(".py")}


def _closure(
    files: set[Path],
    needed: Callable[[Path, str], Iterable[Path]],
    beside: Callable[[Path], Iterable[Path]] = lambda path: (),
) -> set[Path]:
    """Return files, what is `needed` by each of their imports, and what belongs `beside` them."""
    visited: set[Path] = set()
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        if path not in visited:
            visited.add(path)
            waiting += [file for name in _imports(path) for file in needed(path, name)]
            waiting += beside(path)
    return visited


@cache
def _of_library(package: Path, name: str) -> tuple[tuple[str, Path], ...]:
    """Return the files that an import of a name below speechdt runs, its packages' own included.

    Each with its path below the library. One that is added later is not seen by the same process.
    """
    root, *below = name.split(".")
    if root != package.name:
        return ()
    stems = [package.joinpath(*below[:depth]) for depth in range(1, len(below) + 1)]
    files = [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    return tuple((file.relative_to(package).as_posix(), file) for file in files if file.exists())


def _is_kept(path: Path, folder: Path) -> bool:
    """Say whether a file may be data: what is hidden, compiled or an editor's copy is none."""
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return not hidden and path.suffix != ".pyc" and not path.name.endswith("~")


def _named_beside(path: Path) -> list[Path]:
    """Return the files beside a Python file that its text names, and those of folders it names."""
    files = []
    for text in parsed(path).texts:
        named = path.parent / text
        # Not as methods of the path: a text may be too long for the name of a file.
        if os.path.isfile(named):
            files.append(named)
        elif os.path.isdir(named) and not (named / "__init__.py").exists():
            files += [file for file in named.rglob("*") if file.is_file()]
    return [file for file in files if _is_kept(file, path.parent)]


def _imports(path: Path) -> frozenset[str]:
    return parsed(path).names


def _file_hash(path: Path) -> bytes:
    """Hash a file: a Python file by its syntax, another by its content."""
    state = path.stat()
    return parsed(path).digest or _content_hash(path, state.st_mtime_ns, state.st_size)


@cache
def _content_hash(path: Path, _changed: int, _size: int) -> bytes:
    with path.open("rb") as stream:  # weights may lie beside a plugin
        return hashlib.file_digest(stream, "sha256").digest()
