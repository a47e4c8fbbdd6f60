"""Files of a checkout as the rules name them, and hashes of the code that a rule runs."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from speechdt.code_hash import Code, code_hash, imported_files, imported_versions
from speechdt.detectors.plugins import source_files
from speechdt.errors import SpeechdtError

NANO = ("nano/*.py", "mel.py", "encoder.py", "question.py", "qwen*.py")
"""Files of backends/qwen that train a nano model; the rest of the package uses one."""


def checkout_of(folder: Path) -> Path:
    """Return the checkout that the rules belong to.

    Parameters
    ----------
    folder : Path
        Of the Snakefile; where that is read from a repository elsewhere, no folder of this machine,
        the checkout is that of the installed library (``pip install --editable``).

    Raises
    ------
    SpeechdtError
        If neither holds the rules.
    """
    installed = Path(__file__).resolve().parents[2]
    for place in (folder, installed):
        if (place / "rules" / "config.schema.yaml").is_file():
            return place
    raise SpeechdtError(
        f"no rules/config.schema.yaml in {folder} or {installed}: install the library "
        "from a clone, pip install --editable"
    )


class Checkout:
    """The checkout that holds the Snakefile.

    Parameters
    ----------
    folder : str or Path
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def file(self, *parts: str) -> str:
        """Return a file as an input that is called the same wherever the checkout lies."""
        return os.path.relpath(self.folder.joinpath(*parts))

    def with_corpora(self, corpora: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the corpora of a configuration, with those of the checkout by absolute path.

        A relative path is that of the working directory, if there is such a folder.
        """

        def resolved(path: str) -> str:
            own = self.folder / path
            return str(own) if own.is_dir() and not Path(path).is_dir() else path

        return [
            {key: resolved(value) if key == "path" else value for key, value in corpus.items()}
            for corpus in corpora
        ]

    def templates(self, *patterns: str) -> list[str]:
        """Return templates of the library as inputs: an edit of one rewrites its pages.

        Raises
        ------
        FileNotFoundError
            If a pattern matches none.
        """
        folder = self.folder / "speechdt" / "reporting" / "pages" / "templates"
        files_of = {pattern: sorted(folder.glob(pattern)) for pattern in patterns}
        if missing := [pattern for pattern, files in files_of.items() if not files]:
            raise FileNotFoundError(f"no template {missing[0]} in {folder}")
        return [os.path.relpath(file) for files in files_of.values() for file in files]

    def code(self, script: str, *also: str) -> Callable[..., Code]:
        """Return what hashes a rule's script and the library modules it imports, and `also` others.

        An edit of one reruns the rule. Hashed when a job asks: a job knows its own rule alone.
        """
        file = self.folder / "rules" / "scripts" / script
        return lambda wildcards: _script_code(file, also)

    def nano_code(self) -> Code:
        """Hash what training a nano model runs."""
        qwen = self.folder / "backends" / "qwen"
        files = [path for pattern in NANO for path in qwen.glob(pattern)]
        return _with_versions(imported_files(files, {}))


@cache
def _script_code(file: Path, also: tuple[str, ...]) -> Code:
    """Hash a script once for all jobs of its rule."""
    return code_hash(file, also=also)


@cache
def detector_code(cls: type, *, training: bool = False) -> Code:
    """Hash what a detector's scores hang on, or what it trains.

    That is its source, with all that its plugin imports from beside itself, and the versions of
    the packages that these import.
    """
    return _with_versions(source_files(cls, training=training))


def _with_versions(files: list[Path]) -> Code:
    versions = {f"version of {name}": of for name, of in imported_versions(files).items()}
    return Code(code_hash(*files).files | versions)


def field(records: dict[str, object], wildcard: str) -> Callable[[str], Callable[..., object]]:
    """Return a function from the name of a field to what reads it of a wildcard's record."""
    return lambda name: lambda wildcards: getattr(records[getattr(wildcards, wildcard)], name)
