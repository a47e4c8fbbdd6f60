"""Parts that the charts of the page share: colours, data, axes, tooltips."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from speechdt.reporting.figures.style import looks

Spec: TypeAlias = dict[str, Any]
"""A piece of Vega-Lite."""
ROOM = 1.3
"""Factor of the room at both ends of an axis of times."""


def colours(variants: Sequence[str]) -> dict[str, str]:
    """Return the colour of each variant, the same as in the figures."""
    return {variant: look.color for variant, look in looks(variants).items()}


def colour(variants: Sequence[str]) -> Spec:
    """Return the channel that gives each variant its colour; the toggles are its legend."""
    of = colours(variants)
    scale = {"domain": list(of), "range": list(of.values())}
    return {"field": "variant", "type": "nominal", "scale": scale, "legend": None}


def values(table: pd.DataFrame, digits: int = 4) -> Spec:
    """Return rows as data, rounded to what a screen can show; what is no number is left out."""
    rounded = table.copy()
    for name in table.select_dtypes("number"):
        rounded[name] = table[name].astype(float).round(digits)
    rows = rounded.replace([np.inf, -np.inf], np.nan).to_dict("records")
    return {
        "values": [
            {str(key): value for key, value in row.items() if not pd.isna(value)} for row in rows
        ]
    }


def hover(*fields: tuple[str, str, str]) -> list[Spec]:
    """Return what a hover shows: the variant, then (field, title, number format)."""
    shown = [{"field": "variant", "type": "nominal", "title": "Detector"}]
    for field, title, form in fields:
        kind = {"type": "quantitative", "format": form} if form else {"type": "nominal"}
        shown.append({"field": field, "title": title, **kind})
    return shown


def x_axis(field: str, title: str, **more: Any) -> Spec:
    """Return the channel of an axis of numbers."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def fixed(values: pd.DataFrame) -> Spec:
    """Return the scale of all values, so that it stays where it is while some are not shown."""
    numbers = values.to_numpy(float)
    numbers = numbers[np.isfinite(numbers)]
    return {"domain": [float(numbers.min()), float(numbers.max())], "nice": True}


def around(values: pd.Series) -> list[float]:
    """Return the ends of a log axis on which a name fits beside the largest value."""
    low, high = float(values.min()), float(values.max())
    return [low / ROOM, high * ROOM]
