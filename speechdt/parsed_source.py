"""Imports, texts and syntax hash of a Python file, kept beside its compiled form.

Every start of the workflow and every job with a detector asks this of hundreds of files, which take
longer to parse than what else is done before the first job. What is found is kept in
``__pycache__``, as Python keeps what it compiles, under the hash of the file's content.
"""

import ast
import hashlib
import importlib.util
import json
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

from speechdt.syntax_hash import syntax_hash

LONGEST_NAME = 200
"""Texts that are longer name no file."""
SUFFIX = ".syntax.json"


class ParsedSource(NamedTuple):
    """A Python file: what it imports, the texts in it that may name a file, its hash.

    Of a file that is no Python, all are empty.
    """

    names: frozenset[str]
    texts: frozenset[str]
    digest: bytes

    def to_json(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return {"names": sorted(self.names), "texts": sorted(self.texts), "hash": self.digest.hex()}

    @classmethod
    def from_json(cls, kept: dict[str, list[str] | str]) -> Self:
        """Return what `to_json` was called for."""
        digest = bytes.fromhex(str(kept["hash"]))
        return cls(frozenset(kept["names"]), frozenset(kept["texts"]), digest)


def parsed(path: Path) -> ParsedSource:
    """Return what is read of a file; of one that does not parse, its content's hash alone."""
    state = path.stat()
    return _parsed_at(path, state.st_mtime_ns, state.st_size)


@cache
def _parsed_at(path: Path, _changed: int, _size: int) -> ParsedSource:
    if path.suffix != ".py":
        return ParsedSource(frozenset(), frozenset(), b"")
    source = path.read_bytes()
    key = hashlib.sha256(_own_hash() + source).hexdigest()
    file = _kept_in(path)
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):  # none, or damaged
        kept = json.loads(file.read_bytes())
        if kept.pop("key") == key:
            return ParsedSource.from_json(kept)
    analysis = _parse(source)
    if not sys.dont_write_bytecode:
        _keep(file, {"key": key, **analysis.to_json()})
    return analysis


@cache
def _own_hash() -> bytes:
    """Return the hash of what parses: kept by another version, a file is parsed anew."""
    own = Path(__file__)
    return hashlib.sha256(own.read_bytes() + own.with_name("syntax_hash.py").read_bytes()).digest()


def _kept_in(path: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(path))).with_suffix(SUFFIX)


def _keep(file: Path, content: dict[str, object]) -> None:
    """Write a file at once, or not at all where that may not be."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(content))
        unfinished.replace(file)


def _parse(source: bytes) -> ParsedSource:
    names: set[str] = set()
    texts: set[str] = set()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # nothing imports it, or it would have failed
        return ParsedSource(frozenset(), frozenset(), hashlib.sha256(source).digest())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            dot = "." if node.module else ""
            names |= {module} | {f"{module}{dot}{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            names |= _import_module(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    digest = syntax_hash(tree, keep_texts=b"__doc__" in source)
    return ParsedSource(frozenset(names), frozenset(filter(_may_be_a_name, texts)), digest)


def _import_module(call: ast.Call) -> set[str]:
    """Return what a call imports, if it is ``import_module`` of a name that is written out."""
    called = call.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    first = call.args[0] if call.args else None
    if name != "import_module" or not isinstance(first, ast.Constant):
        return set()
    return {str(first.value)}


def _may_be_a_name(text: str) -> bool:
    """Say whether a text may name a file below the folder that it is spoken in."""
    inside = not text.startswith(("/", ".")) and ".." not in text
    return 0 < len(text) < LONGEST_NAME and text.isprintable() and inside
