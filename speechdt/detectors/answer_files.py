"""Files of answers by name: which run, split and cell each belongs to.

The layout is ``trials/{split}/{cell}.parquet``, ``scores/{run}/{split}/{cell}.parquet`` and
``calibration/{run}.json`` and ``.thresholds.parquet``; lists of such paths may come in any order.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from speechdt.errors import SpeechdtError

Key = TypeVar("Key")


class AnswerFileError(SpeechdtError):
    """Files of answers do not belong together; the message is one line naming them."""


class Cell(NamedTuple):
    """A cell of a split."""

    split: str
    cell: str


class Answered(NamedTuple):
    """A cell of a split, answered by a run."""

    run: str
    split: str
    cell: str


def cell_of(path: Path) -> Cell:
    """Return the cell that a file of trials or scores is about."""
    return Cell(path.parent.name, path.stem)


def answered(path: Path) -> Answered:
    """Return the run and cell of a file of scores."""
    return Answered(path.parents[1].name, *cell_of(path))


def by_cell(paths: Iterable[Path | str]) -> dict[Cell, Path]:
    """Return files of trials by their cell."""
    return _by(cell_of, paths)


def of_split(paths: Iterable[Path | str], split: str, cells: Iterable[str]) -> list[Path]:
    """Return the files of trials of some cells of a split, in their order."""
    files = by_cell(paths)
    return [files[Cell(split, cell)] for cell in cells]


def by_run_and_cell(paths: Iterable[Path | str]) -> dict[Answered, Path]:
    """Return files of scores by their run and cell."""
    return _by(answered, paths)


def by_run(paths: Iterable[Path | str]) -> dict[str, Path]:
    """Return files named for a run, as calibrations and their thresholds are."""
    return _by(lambda path: path.stem.removesuffix(".thresholds"), paths)


def scores_of_run(
    run: str, cells: Iterable[Path | str], scores: Mapping[Answered, Path]
) -> list[tuple[Path, Path]]:
    """Return each cell file with the scores of a run on it.

    Raises
    ------
    AnswerFileError
        If there is none.
    """
    pairs = []
    for cell, path in by_cell(cells).items():
        key = Answered(run, *cell)
        if key not in scores:
            raise AnswerFileError(f"no scores of run {run} on {path}")
        pairs.append((path, scores[key]))
    return pairs


def _by(key: Callable[[Path], Key], paths: Iterable[Path | str]) -> dict[Key, Path]:
    files: dict[Key, Path] = {}
    for path in map(Path, paths):
        if (name := key(path)) in files:
            raise AnswerFileError(f"{files[name]} and {path} belong to the same cell")
        files[name] = path
    return files
