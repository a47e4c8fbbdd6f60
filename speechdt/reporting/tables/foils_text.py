"""Table of false alarms on foils as text."""

import pandas as pd

from speechdt.reporting.tables.formatting import MISSING, number, with_interval


def foils_table(foils: pd.DataFrame) -> pd.DataFrame:
    """Return rates of false alarms (%): a row for each variant and threshold, a column a kind."""
    rows = []
    keys = ["variant", "threshold", "condition"]
    for (variant, threshold, condition), of in foils.groupby(keys, sort=False):
        row = {"Variant": str(variant), "Threshold": str(threshold), "Clips": str(condition)}
        for _, one in of.iterrows():
            rate, low, high = (100 * float(one[name]) for name in ("rate", "low", "high"))
            kind = f"{one['foil']} ({number(one['groups'], 0)} groups)"
            row[kind] = with_interval(rate, low, high)
        rows.append(row)
    return pd.DataFrame(rows, dtype=str).fillna(MISSING)
