"""CSV tables of results, read with the types that they were written with."""

from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

TEXT = (
    *("variant", "backend", "model", "by", "metric", "kind", "dimension", "slice"),
    *("processor", "gpus", "search", "prompt", "reference", "family", "at"),
    *("adapter", "loss", "spec_augment", "quantity", "part", "origin"),
    *("condition", "axis", "room", "over", "why", "foil"),
)
"""Columns that are text; so are those that end in ``_censored``."""


def read_tables(paths: Iterable[Path | str]) -> pd.DataFrame:
    """Read CSV files of one kind, one below the other; empty text stays empty."""
    tables = [read_table(path) for path in paths]
    # One without rows knows no types, and would take those of the others away.
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def read_table(path: Path | str, also_text: Collection[str] = ()) -> pd.DataFrame:
    """Read one CSV file of results; empty text stays empty, empty numbers become NaN.

    Parameters
    ----------
    path : path
    also_text : collection of str
        Columns that are text beside `TEXT`, whatever they look like.
    """
    columns = pd.read_csv(path, nrows=0).columns
    text_names = {*TEXT, *also_text}
    text = [name for name in columns if name in text_names or name.endswith("_censored")]
    # Text as it is: a variant may be called NA.
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(text, str),
        na_values={name: [""] for name in columns if name not in text},
        keep_default_na=False,
    )
