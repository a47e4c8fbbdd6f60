"""Comparisons as people read them: tables of text, as in `speechdt.display`."""

import pandas as pd

from speechdt.display import number, percent, text_table


def comparisons_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the contrasts that were planned, and those beside them: one row a contrast."""
    return text_table(
        comparisons[comparisons["family"] != ""],
        {
            "Contrast": lambda row: f"{row['variant']} − {row['reference']}",
            "Balanced (%)": lambda row: number(100 * row["balanced_accuracy"]),
            "Reference (%)": lambda row: number(100 * row["balanced_accuracy_reference"]),
            "Difference (points)": lambda row: percent(row, "difference"),
            "p": lambda row: p_value(row["p"]),
            "p, Holm": lambda row: p_value(row["p_holm"]),
        },
    )


def p_value(p: float) -> str:
    """Return a p-value with three decimals, ``< 0.001`` below them."""
    return "< 0.001" if p < 0.001 else number(p, 3)
