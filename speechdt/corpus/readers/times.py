"""Times of a manifest row, in seconds or as on a clock: which region of its recording it means."""

import re
from collections.abc import Mapping
from math import inf, isclose

from speechdt.corpus.sources import CorpusError

COLUMNS = ("start", "end", "offset", "duration")
"""What a manifest may say: start and end, or offset and duration; start and offset are the same."""
AGREE_S = 0.01
"""Seconds by which two columns that mean the same may differ."""

_SECONDS = re.compile(r"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):([0-5]?\d(?:\.\d*)?)")


def seconds(text: str) -> float:
    """Return a time that is written as 83.5, 1:23.5 or 0:01:23.5.

    Raises
    ------
    ValueError
        If it is none.
    """
    if _SECONDS.fullmatch(text):
        return float(text)
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        raise ValueError(f"'{text}' is neither seconds nor hh:mm:ss")
    return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + float(clock[3])


def times(fields: Mapping[str, str], who: str) -> tuple[float, float] | None:
    """Return from when to when a row means its recording, None if it means all of it.

    Parameters
    ----------
    fields : mapping of str to str
        A row; columns that are not there or empty say nothing.
    who : str
        What an error names.

    Raises
    ------
    CorpusError
        If a time is none, or they contradict one another.
    """
    given = {}
    for name in COLUMNS:
        text = fields.get(name, "").strip()
        if text:
            try:
                given[name] = seconds(text)
            except ValueError as error:
                raise CorpusError(f"{who}: {name} {error}") from None
    start = given.get("start", given.get("offset", 0.0))
    stop = given.get("end", start + given.get("duration", inf))
    for name, expected in (("offset", start), ("duration", stop - start)):
        if not isclose(given.get(name, expected), expected, rel_tol=0, abs_tol=AGREE_S):
            raise CorpusError(f"{who}: {_listed(given)} contradict one another")
    if stop <= start:
        raise CorpusError(f"{who}: {_listed(given)} leave nothing of it")
    return (start, stop) if start or stop < inf else None


def _listed(given: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in given.items())
