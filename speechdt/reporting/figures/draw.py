"""Drawing of the figures of the catalogue by their names."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from speechdt.reporting.figures.comparison import comparisons
from speechdt.reporting.figures.conditions import conditions
from speechdt.reporting.figures.confusion import confusion
from speechdt.reporting.figures.heatmap import heatmap
from speechdt.reporting.figures.hygiene import hygiene
from speechdt.reporting.figures.pareto import pareto
from speechdt.reporting.figures.presentation import levels
from speechdt.reporting.figures.prompts import prompts
from speechdt.reporting.figures.psychometric import psychometric_duration, psychometric_snr
from speechdt.reporting.figures.reliability import reliability
from speechdt.reporting.figures.roc import det, roc
from speechdt.reporting.figures.score_shares import score_shares
from speechdt.reporting.figures.surface import surface
from speechdt.reporting.figures.training import adapters, training
from speechdt.reporting.tables.names import renamed

_FUNCTIONS: dict[str, Callable[..., Figure]] = {
    function.__name__: function
    for function in (
        *(psychometric_snr, psychometric_duration),
        *(heatmap, pareto, reliability, confusion, comparisons, surface, roc, det),
        *(adapters, training, prompts, hygiene, levels, score_shares, conditions),
    )
}


def draw(
    name: str,
    tables: Mapping[str, pd.DataFrame],
    variants: Sequence[str],
    names: Mapping[str, str] | None = None,
    **size: float,
) -> Figure:
    """Draw a figure of the catalogue.

    Parameters
    ----------
    name : str
        Key of `catalogue.FIGURES`.
    tables : mapping of str to DataFrame
        The tables that it is drawn from, by name.
    variants : sequence of str
        All variants, in the order of the configuration.
    names : mapping of str to str, optional
        What readers call them, where that is another name.
    **size
        width and height in inches, for the figures that take them.
    """
    called = {key: renamed(table, names or {}) for key, table in tables.items()}
    shown = [(names or {}).get(variant, variant) for variant in variants]
    return _FUNCTIONS[name](**called, variants=shown, **size)
