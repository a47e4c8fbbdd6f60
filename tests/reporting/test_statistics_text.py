"""Text of comparisons and other statistics, and what it must not be taken for."""

import pandas as pd
import pytest

from speechdt.reporting.tables.formatting import explain
from speechdt.reporting.tables.statistics_text import (
    moved_threshold_table,
    p_value,
    threshold_difference,
)


@pytest.mark.parametrize(
    ("p", "text"), [(0.0001, "<0.001"), (0.0234, "0.023"), (1.0, "1.000"), (float("nan"), "–")]
)
def test_p_values_are_not_taken_for_censored_thresholds(p, text):
    assert p_value(p) == text
    assert "tested range" not in explain(text)


@pytest.mark.parametrize(
    ("value", "censored", "low", "high", "text"),
    [
        (1.25, "", -0.5, 3.0, "1.2 [−0.5, 3.0]"),
        (1.0, "", 0.5, float("inf"), "1.0 [0.5, ∞]"),
        (float("nan"), "<", float("-inf"), -6.2, "lower [−∞, −6.2]"),
        (float("nan"), ">", float("inf"), float("inf"), "higher"),
        (float("nan"), "undefined", float("nan"), float("nan"), "–"),
    ],
)
def test_differences_of_thresholds(value, censored, low, high, text):
    row = {
        "dt75_difference_db": value,
        "dt75_difference_censored": censored,
        "dt75_difference_db_low": low,
        "dt75_difference_db_high": high,
    }
    assert threshold_difference(row) == text


def test_moved_thresholds_have_their_headings():
    columns = ["variant", "at", "balanced_accuracy"]
    table = pd.DataFrame(
        [("D2", "-0.1", 0.7), ("D2", "0", 0.8), ("D2", "best", 0.9)], columns=columns
    )
    table = table.assign(balanced_accuracy_low=0.6, balanced_accuracy_high=0.95)
    cells = moved_threshold_table(table)
    assert list(cells) == ["Variant", "−10 points", "θ of dev", "best on test"]
    assert cells.loc[0, "θ of dev"] == "80.0 [60.0, 95.0]"
