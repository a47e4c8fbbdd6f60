"""Names of the variants for readers: their labels in the configuration, in place of their keys."""

from collections.abc import Mapping

import pandas as pd

COLUMNS = ("variant", "reference", "one", "other")
"""Columns of tables that hold variants."""
PREFIX = "rate_"
"""Of columns that are about a variant."""


def legend(names: Mapping[str, str]) -> str:
    """Return a sentence that says which key each label stands for, or '' where none differs."""
    pairs = ", ".join(f"{name} is {key}" for key, name in _changed(names).items())
    return pairs and f"In CSV files, folders and criteria, {pairs}."


def _changed(names: Mapping[str, str]) -> dict[str, str]:
    return {old: new for old, new in names.items() if old != new}


def renamed(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a table with the variants called by `names`; those without one keep their own.

    Parameters
    ----------
    table : DataFrame
        A table of results; of `near_duplicates.csv` the columns one and other hold recordings,
        which no name is for.
    names : mapping of str to str
        By variant.
    """
    changed = _changed(names)
    if not changed:
        return table
    relabelled = table.rename(
        columns={f"{PREFIX}{old}": f"{PREFIX}{new}" for old, new in changed.items()}
    )
    own = [name for name in COLUMNS if name in relabelled]
    return relabelled.assign(
        **{name: relabelled[name].map(lambda value: changed.get(value, value)) for name in own}
    )
