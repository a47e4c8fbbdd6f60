"""Tables of error rates as text."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from speechdt.reporting.tables.formatting import MISSING, Row, minus, number, percent
from speechdt.statistics.error_rates import ERRORS, SHARES

MISSED, FALSE_ALARM = ERRORS.values()
MOST_SOURCES = 12
"""Recordings that a page lists; the CSV file has all."""
SHARE_HEADINGS = ("Errors (% of trials)", "Made by it alone (%)", "Made by all (%)")
RATE = {"low": "rate_low", "high": "rate_high"}
VALUE = {"low": "value_low", "high": "value_high"}
KAPPA = {"low": "kappa_low", "high": "kappa_high"}


def rate_table(
    rates: pd.DataFrame, error: str, by: str, heading: str, unit: str = ""
) -> pd.DataFrame:
    """Return error rates in percent: one row a level, one column a variant.

    Parameters
    ----------
    rates : DataFrame
        From `failures.error_rates`.
    error : {"missed", "false alarm"}
    by : str
        Kind of level, such as ``category``.
    heading : str
        Of the column of levels.
    unit : str
        Written after each level.
    """
    part = rates[(rates["error"] == error) & (rates["by"] == by)].rename(columns=RATE)
    rows = []
    for level, figures in part.groupby("level", sort=False):
        first = figures.iloc[0]
        name = f"{minus(str(level))} {unit}" if unit else str(level)
        row = {heading: name, "Trials": f"{first['n']:,}", "Groups": f"{first['units']:,}"}
        if first["unit"] != "group":
            row["Recordings"] = row.pop("Groups")
        cells = {str(of["variant"]): percent(of, "rate") for _, of in figures.iterrows()}
        rows.append(row | cells)
    return pd.DataFrame(rows, dtype=str)


def worst_first(rates: pd.DataFrame, error: str, by: str) -> pd.DataFrame:
    """Return the rates of one error and factor, the level with the highest mean rate first."""
    part = rates[(rates["error"] == error) & (rates["by"] == by)]
    means = part.groupby("level")["rate"].transform("mean")
    order = np.lexsort((part["level"], -means.round(9)))
    return part.iloc[order]


def source_table(sources: pd.DataFrame, error: str, most: int = MOST_SOURCES) -> pd.DataFrame:
    """Return the recordings that are most often decided wrongly: percent of their trials."""
    part = sources[sources["error"] == error].head(most)
    variants = [str(name) for name in sources if str(name).startswith("rate_")]
    rows = [
        {
            "Recording": str(row["source_id"]),
            "Category": str(row["category"]),
            "Trials": f"{row['trials']:,}",
            "Mean (%)": number(100 * row["rate"]),
            "Excess (points)": number(100 * row["excess"]),
            **{name.removeprefix("rate_"): number(100 * row[name]) for name in variants},
        }
        for _, row in part.iterrows()
    ]
    return pd.DataFrame(rows, dtype=str)


def common_table(common: pd.DataFrame) -> pd.DataFrame:
    """Return how many errors each variant makes, and which share alone and in common with all."""
    part = common[common["variant"] != ""].rename(columns=VALUE)
    rows = []
    for (error, variant), figures in part.groupby(["error", "variant"], sort=False):
        of: Row = figures.set_index("measure")
        cells = [percent(of.loc[measure], "value") for measure in SHARES]
        rows.append(
            {"Error": error, "Variant": variant} | dict(zip(SHARE_HEADINGS, cells, strict=True))
        )
    return pd.DataFrame(rows, dtype=str)


def wrong_by_table(common: pd.DataFrame) -> pd.DataFrame:
    """Return the share of trials that no, one, … and all variants get wrong, in percent."""
    part = common[common["variant"] == ""].rename(columns=VALUE)
    rows = []
    for error, figures in part.groupby("error", sort=False):
        cells = {
            f"{str(figure['measure']).removeprefix('wrong_by_')} wrong": percent(figure, "value")
            for _, figure in figures.iterrows()
        }
        rows.append({"Error": str(error)} | cells)
    return pd.DataFrame(rows, dtype=str)


def pairs_table(pairs: pd.DataFrame, variants: Sequence[str]) -> pd.DataFrame:
    """Return error consistency of all pairs, one row a variant and error; `MISSING` on itself."""
    rows = []
    both = pairs.rename(columns=KAPPA)
    for error, part in both.groupby("error", sort=False):
        cells = {
            frozenset((str(row["one"]), str(row["other"]))): _kappa(row)
            for _, row in part.iterrows()
        }
        for one in variants:
            values = {other: cells.get(frozenset((one, other)), MISSING) for other in variants}
            rows.append({"Error": str(error), "Variant": one} | values)
    return pd.DataFrame(rows, dtype=str)


def _kappa(row: Row) -> str:
    value, low, high = (float(row[f"kappa{end}"]) for end in ("", "_low", "_high"))
    if np.isnan([value, low, high]).any():
        return number(value, 2)
    return f"{number(value, 2)} [{number(low, 2)}, {number(high, 2)}]"
