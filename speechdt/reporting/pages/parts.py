"""Tables and figures of pages, as their templates take them."""

import re
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd

PIXELS_PER_POINT = 1.75
"""CSS pixels of a page for a point of a figure."""
PLAIN = " !$()*+,-./:;=?@[]^_`{|}~"
"""Stands in a data URI within HTML as it is, beside letters and digits."""
LEFT_OUT = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (r"<\?xml.*?\?>", r"<!DOCTYPE.*?>", r"<metadata>.*?</metadata>", r"<!--.*?-->")
)
COORDINATES = re.compile(r'\s(?:d|x|y)="[^"]*"')
LONG = re.compile(r"-?\d+\.\d{3,}")
"""Parts of an SVG that draw nothing, its coordinates, and numbers finer than a hundredth."""


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
    """Return an SVG image as a data URI: apart from the page, so that no ids clash.

    Percent-encoded, which takes a fifth less than base64 where nearly all is numbers.
    """
    return "data:image/svg+xml," + quote(compact(svg), safe=PLAIN)


def compact(svg: str) -> str:
    """Return the same drawing in fewer bytes: its coordinates to a hundredth of a point."""
    for left_out in LEFT_OUT:
        svg = left_out.sub("", svg)
    svg = COORDINATES.sub(lambda match: LONG.sub(_hundredths, match[0]), svg)
    svg = re.sub(r">\s+<", "><", svg)
    return re.sub(r"\s+", " ", svg).strip()


def _hundredths(number: re.Match[str]) -> str:
    rounded = round(float(number[0]), 2) + 0.0  # not −0
    return f"{rounded:.2f}".rstrip("0").rstrip(".")


def width(svg: str) -> int:
    """Return the width in CSS pixels at which a figure's type is as large as the page's notes."""
    match = re.search(r'<svg[^>]*\swidth="([\d.]+)pt"', svg)
    return round(float(match[1]) * PIXELS_PER_POINT) if match else 900
