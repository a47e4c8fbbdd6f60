"""Measured figures of a run, each with its interval, as the conditions of criteria ask for them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from speechdt.reporting.tables.criteria import (
    DIFFERENCES,
    LATENCY,
    TRAINING_LOSS,
    Condition,
    roles,
)
from speechdt.reporting.tables.formatting import Threshold
from speechdt.reporting.tables.matrix import THRESHOLDS


class Interval(NamedTuple):
    """A measured figure and its 95 % interval; NaN where it was not measured."""

    value: float
    low: float
    high: float

    @property
    def measured(self) -> bool:
        """Whether there is a figure."""
        return self.value == self.value


UNMEASURED = Interval(float("nan"), float("nan"), float("nan"))


class Run(NamedTuple):
    """The tables of a run that criteria are judged on.

    Attributes
    ----------
    matrix, comparisons, metrics, latency : DataFrame
        The tables of these names.
    training : DataFrame or None
        ``tables/training.csv``, if anything was trained.
    adapters : mapping
        Training of each variant that has one, by variant.
    judged : sequence of str
        Variants in the order of the study, its last step first; the first that exists is judged.
    baselines : sequence of str
        Voice activity detectors; the last of them is the state of the art.
    """

    matrix: pd.DataFrame
    comparisons: pd.DataFrame
    metrics: pd.DataFrame
    latency: pd.DataFrame
    training: pd.DataFrame | None
    adapters: Mapping[str, str]
    judged: Sequence[str]
    baselines: Sequence[str]

    @property
    def variant(self) -> str:
        """The variant that is judged; empty if there is none of the list."""
        present = set(self.matrix["variant"])
        return next((name for name in self.judged if name in present), "")

    def named(self, condition: Condition) -> Condition:
        """Return a condition with the variant that is judged, and baselines, by their names."""
        return condition.named(self.variant, roles(self.baselines))


def measure(run: Run, condition: Condition) -> list[Interval]:
    """Return the figures that must meet the bound of a condition: one, or one a level.

    Parameters
    ----------
    run : Run
        The tables.
    condition : Condition
        With names of variants (`Run.named`).

    Returns
    -------
    list of Interval
        Empty where nothing was measured at any level.
    """
    metric, variant = condition.metric, condition.variant
    if condition.over:
        return [difference(run, variant, condition.over, metric)]
    if condition.relative_to:
        return [latency_ratio(run, variant, condition.relative_to, metric)]
    if condition.at_each:
        return at_levels(run, variant, metric, condition.at_each)
    if metric == TRAINING_LOSS:
        return [training_loss(run, variant)]
    return [figure(run, variant, metric)]


def figure(run: Run, variant: str, metric: str) -> Interval:
    """Return a metric of ``matrix.csv``, or a quantile of ``latency.csv``."""
    table = run.latency if metric in LATENCY else run.matrix
    rows = table[table["variant"] == variant]
    if rows.empty:
        return UNMEASURED
    if metric in THRESHOLDS:  # infinite where it lies outside the tested range
        low, middle, high = Threshold.of(rows.iloc[0], metric.removesuffix("_db"), "_db").bounds
        return Interval(middle, low, high)
    return _interval(rows.iloc[0], metric)


def difference(
    run: Run, variant: str, reference: str, metric: str = "balanced_accuracy"
) -> Interval:
    """Return by how much a variant beats another, whichever way ``comparisons.csv`` has it."""
    for sign, first, second in ((1, variant, reference), (-1, reference, variant)):
        table = run.comparisons
        rows = table[(table["variant"] == first) & (table["reference"] == second)]
        if len(rows):
            value, low, high = _interval(rows.iloc[0], DIFFERENCES[metric])
            return Interval(value, low, high) if sign > 0 else Interval(-value, -high, -low)
    return UNMEASURED


def latency_ratio(run: Run, variant: str, rival: str, metric: str = "latency_p50_ms") -> Interval:
    """Return how many times as long as another a variant takes for a clip."""
    table = run.latency.set_index("variant")
    if not {variant, rival} <= set(table.index):
        return UNMEASURED
    own, other = (_interval(table.loc[name], metric) for name in (variant, rival))
    return Interval(own.value / other.value, own.low / other.high, own.high / other.low)


def at_levels(run: Run, variant: str, metric: str, by: str) -> list[Interval]:
    """Return a metric at each level of a dimension, from ``metrics.csv``."""
    table = run.metrics
    at = table[(table["variant"] == variant) & (table["by"] == by)]
    at = at[at["metric"] == metric]
    return [Interval(*row) for row in at[["value", "low", "high"]].to_numpy(float)]


def training_loss(run: Run, variant: str) -> Interval:
    """Return the last logged loss of a variant's adapter; it has no interval but itself."""
    name, value = run.adapters.get(variant), float("nan")
    if run.training is not None and name is not None:
        curve = run.training[(run.training["adapter"] == name)]
        losses = curve[curve["quantity"] == "loss"].sort_values("step")["value"]
        value = float(losses.iloc[-1]) if len(losses) else value
    return Interval(value, value, value)


def _interval(row: Any, name: str) -> Interval:
    return Interval(*(float(row[f"{name}{end}"]) for end in ("", "_low", "_high")))
