"""Recordings and trials that are left when one corpus is left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from speechdt.corpus import flags
from speechdt.corpus.sources import CATEGORIES
from speechdt.trials.cells import CellWriter, read_batches
from speechdt.trials.items import TooFewSources

INSTEAD = "or name the others in leave_one_out.corpora"


def sources_without(sources: pd.DataFrame, corpus: str) -> pd.DataFrame:
    """Return the sources of all other corpora.

    Raises
    ------
    TooFewSources
        If none is of this corpus, since nothing would be left out.
    """
    of_it = sources["corpus"] == corpus
    if not of_it.any():
        raise TooFewSources(f"leave_one_out: no recording is of corpus '{corpus}'; {INSTEAD}")
    return sources[~of_it]


def categories_left(sources: pd.DataFrame, categories: Sequence[str]) -> list[str]:
    """Return the categories of NONSPEECH that train has sources of, in their order."""
    there = set(sources.loc[sources["split"] == "train", "category"])
    return [category for category in categories if category in there]


def copy_without(cells: Mapping[Path, Path], sources: pd.DataFrame, corpus: str) -> dict[str, int]:
    """Copy the trials in which nothing of a corpus is heard, neither target nor background.

    Parameters
    ----------
    cells : mapping of path to path
        Where the copy of each cell file goes.
    sources : DataFrame
        ``corpus/sources.parquet``: source_id, corpus.
    corpus : str

    Returns
    -------
    dict of str to int
        Trials copied, by label.

    Raises
    ------
    TooFewSources
        If a class runs dry.
    """
    excluded = set(sources["source_id"]) - set(sources_without(sources, corpus)["source_id"])
    copied = dict.fromkeys(CATEGORIES, 0)
    for cell, copy in cells.items():
        writer = CellWriter(copy)
        for batch in read_batches(cell):
            rows: list[Any] = batch[~flags.involving(batch, excluded)].to_dict("records")
            for row in rows:
                writer.write(row | {"audio": {"bytes": row["audio"], "path": None}})
                copied[row["label"]] += 1
        writer.close()
    for label, count in copied.items():
        if not count:
            raise TooFewSources(f"dev without corpus '{corpus}' has no {label} trial; {INSTEAD}")
    return copied
