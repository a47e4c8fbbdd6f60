"""The figures of the paper: which there are, what they show, and from which tables.

Only the catalogue is here, so that the workflow can list the figures without matplotlib; the
modules draw them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from speechdt.reporting.figures.catalogue import FORMATS as FORMATS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(
    name: str, tables: "Mapping[str, pd.DataFrame]", variants: Sequence[str], **size: float
) -> "Figure":
    """Draw a figure of the catalogue.

    Parameters
    ----------
    name : str
        Key of `FIGURES`.
    tables : mapping of str to DataFrame
        The tables that it is drawn from, by name.
    variants : sequence of str
        All variants, in the order of the configuration.
    **size
        width and height in inches, for the figures that take them.
    """
    from speechdt.reporting.figures.comparison import comparisons
    from speechdt.reporting.figures.confusion import confusion
    from speechdt.reporting.figures.heatmap import heatmap
    from speechdt.reporting.figures.pareto import pareto
    from speechdt.reporting.figures.psychometric import psychometric_duration, psychometric_snr
    from speechdt.reporting.figures.reliability import reliability
    from speechdt.reporting.figures.surface import surface
    from speechdt.reporting.figures.training import adapters, training

    functions = (
        *(psychometric_snr, psychometric_duration),
        *(heatmap, pareto, reliability, confusion, comparisons, surface),
        *(adapters, training),
    )
    drawn: dict[str, Callable[..., Figure]] = {one.__name__: one for one in functions}
    return drawn[name](**tables, variants=variants, **size)
