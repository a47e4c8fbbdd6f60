"""Tables and figures of pages, as their templates take them."""

import base64
import re
from typing import NamedTuple

import pandas as pd

PIXELS_PER_POINT = 1.75
"""CSS pixels of a page for a point of a figure."""


class Table(NamedTuple):
    """A table of a page.

    Attributes
    ----------
    name : str
        Its id, and that of its place in the navigation.
    caption : str
    cells : DataFrame of str
    """

    name: str
    caption: str
    cells: pd.DataFrame


class Drawing(NamedTuple):
    """A figure of a page: name, title, caption, data URI, width in CSS pixels, and a chart for it.

    `chart` is the caption of a chart that a script draws instead; '' if there is none.
    """

    name: str
    title: str
    caption: str
    uri: str
    width: int
    chart: str = ""


def data_uri(svg: str) -> str:
    """Return an SVG image as a data URI: apart from the page, so that no ids clash."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def width(svg: str) -> int:
    """Return the width in CSS pixels at which a figure's type is as large as the page's notes."""
    found = re.search(r'<svg[^>]*\swidth="([\d.]+)pt"', svg)
    return round(float(found[1]) * PIXELS_PER_POINT) if found else 900
