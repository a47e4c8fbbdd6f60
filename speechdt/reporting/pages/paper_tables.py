"""Tables of the paper, by name: caption, columns of names, and cells."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

import pandas as pd

from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.tables import (
    conditions_text,
    error_rates_text,
    formatting,
    latency_text,
    matrix_text,
    statistics_text,
    thresholds_text,
)

Tables: TypeAlias = Mapping[str, pd.DataFrame]


class PaperTable(NamedTuple):
    """A table of the paper.

    Attributes
    ----------
    caption : str
        Plain text.
    labels : int
        Columns at the left that hold names.
    made : callable
        Its cells, from the tables of the run by name.
    """

    caption: str
    labels: int
    made: Callable[[Tables], pd.DataFrame]


ACCURACIES = (
    *("Variant", "Backend", "Accuracy (%)", "Balanced (%)", "SPEECH (%)", "NONSPEECH (%)"),
    *("AUC", "Clean (%)"),
)


def _comparison(tables: Tables) -> pd.DataFrame:
    ranges = formatting.tested_ranges(tables["curves"])
    return matrix_text.matrix_table(tables["matrix"], tables["latency"], ranges)[list(ACCURACIES)]


def _thresholds(tables: Tables, dimension: str) -> pd.DataFrame:
    ranges = formatting.tested_ranges(tables["curves"])
    if dimension not in ranges:
        return pd.DataFrame()
    along = tables["thresholds"][tables["thresholds"]["dimension"] == dimension]
    table = thresholds_text.thresholds_table(along, ranges, pooled=True)
    # As wide as a page is; thresholds.csv has the rest.
    return table.drop(columns=["Along", "At", "DT50, own θ", "Guess", "Lapse"])


def _sliced(tables: Tables, dimension: str) -> pd.DataFrame:
    ranges = formatting.tested_ranges(tables["curves"])
    if dimension not in ranges:
        return pd.DataFrame()
    table = thresholds_text.sliced_thresholds_table(tables["thresholds"], ranges, dimension)
    return table.drop(columns=[name for name in table if str(name).startswith("all ")])


def _categories(tables: Tables) -> pd.DataFrame:
    first = [name for names in CATEGORIES.values() for name in names]
    return matrix_text.breakdown_table(tables["metrics"], "category", "accuracy", first=first)


def _balanced(tables: Tables, by: str, unit: str) -> pd.DataFrame:
    return matrix_text.breakdown_table(tables["metrics"], by, "balanced_accuracy", unit)


def _conditions(tables: Tables) -> pd.DataFrame:
    if "conditions" not in tables or tables["conditions"]["dt75"].isna().all():
        return pd.DataFrame()
    return conditions_text.shifts_table(tables["conditions"])


PAPER_TABLES = {
    "comparison": PaperTable(
        "All variants on the same noisy test trials; “Clean”: accuracy on clips without added "
        "noise. In brackets: 95 % intervals, bootstrapped over groups of recordings.",
        2,
        _comparison,
    ),
    "contrasts": PaperTable(
        "Planned contrasts, and those beside them, on the same test trials: AUC, then "
        "balanced accuracy and DT75. p: cluster permutation; Holm: over the planned contrasts. "
        "Verdict: by the AUC, gain or loss where the corrected p is at most 0.05.",
        1,
        lambda tables: statistics_text.comparisons_table(tables["comparisons"]),
    ),
    "conditions": PaperTable(
        "Shift of DT75 in each condition against the neutral one, in dB, on the same recordings; "
        "above zero it takes a higher SNR. In brackets: paired 95 % intervals over groups. *: p at "
        "most 0.05 after Holm's correction over the conditions of a variant.",
        2,
        _conditions,
    ),
    "sensitivity": PaperTable(
        "Sensitivity and bias: d′ and criterion c.",
        1,
        lambda tables: statistics_text.sensitivity_table(tables["matrix"]),
    ),
    "strata": PaperTable(
        "Balanced accuracy (%) over all trials and in parts of them.",
        1,
        lambda tables: statistics_text.strata_table(tables["metrics"]),
    ),
    "thresholds_snr": PaperTable(
        "Thresholds along SNR, in dB, over all durations. " + thresholds_text.THRESHOLDS_NOTE,
        1,
        lambda tables: _thresholds(tables, "snr"),
    ),
    "thresholds_duration": PaperTable(
        "Thresholds along duration, in ms, over all SNRs, as in the table before.",
        1,
        lambda tables: _thresholds(tables, "duration"),
    ),
    "dt75_snr": PaperTable(
        "DT75 along SNR, in dB, at each duration.", 1, lambda tables: _sliced(tables, "snr")
    ),
    "dt75_duration": PaperTable(
        "DT75 along duration, in ms, at each SNR.", 1, lambda tables: _sliced(tables, "duration")
    ),
    "by_snr": PaperTable(
        "Balanced accuracy (%) by SNR.", 1, lambda tables: _balanced(tables, "snr_db", "dB")
    ),
    "by_duration": PaperTable(
        "Balanced accuracy (%) by duration.",
        1,
        lambda tables: _balanced(tables, "duration_ms", "ms"),
    ),
    "by_category": PaperTable("Correct decisions (%) by category.", 1, _categories),
    "calibration": PaperTable(
        "Calibration on test, before and after scaling learned on dev: ECE and MCE over 15 bins, "
        "and the Brier score.",
        2,
        lambda tables: matrix_text.calibration_table(tables["matrix"]),
    ),
    "errors": PaperTable(
        "Errors of each variant, and the share of them that no other and that every variant makes.",
        2,
        lambda tables: error_rates_text.common_table(tables["errors_common"]),
    ),
    "latency": PaperTable(
        latency_text.LATENCY_NOTE,
        1,
        lambda tables: latency_text.latency_table(tables["latency"]),
    ),
    "resources": PaperTable(
        latency_text.RESOURCES_NOTE,
        1,
        lambda tables: latency_text.resources_table(tables["latency"], tables["pareto"]),
    ),
}
"""All tables of the paper by name, in their order."""


def tables_of(tables: Tables) -> dict[str, pd.DataFrame]:
    """Return the cells of every table of the paper that has any."""
    made = {name: entry.made(tables) for name, entry in PAPER_TABLES.items()}
    return {name: cells for name, cells in made.items() if len(cells)}
