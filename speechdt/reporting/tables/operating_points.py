"""Operating points as one row a variant, from ``tables/operating_points.csv``."""

import pandas as pd


def at(points: pd.DataFrame, by: str = "all", level: str = "") -> pd.DataFrame:
    """Return the figures of one slice, one row a variant in the order of the table.

    Parameters
    ----------
    points : DataFrame
        ``tables/operating_points.csv``.
    by, level : str
        The slice, such as ``duration_ms`` and ``300``.

    Returns
    -------
    DataFrame
        variant, ready_made, and each metric with ``_low`` and ``_high``; no row if there is no such
        slice.
    """
    levels = points["level"].fillna("").astype(str)
    own = points[(points["by"] == by) & (levels == level)]
    ends = {"value": "", "low": "_low", "high": "_high"}
    wide = pd.concat(
        [
            own.pivot(index="variant", columns="metric", values=column).add_suffix(end)
            for column, end in ends.items()
        ],
        axis=1,
    )
    order = own.drop_duplicates("variant")[["variant", "ready_made"]]
    return order.merge(wide.reset_index(), on="variant", how="left")


def levels(points: pd.DataFrame, by: str) -> list[str]:
    """Return the levels of a kind of slice, in the order of the table."""
    of_kind = points.loc[points["by"] == by, "level"].astype(str)
    return list(dict.fromkeys(of_kind))
