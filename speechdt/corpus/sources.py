"""Source: one recording, or one region of a longer one, as its corpus describes it."""

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from speechdt.errors import SpeechdtError, one_line

CATEGORIES = {
    "SPEECH": ("speech",),
    "NONSPEECH": ("music", "animals", "noise", "environment"),
}
"""Categories of each class."""

VOCALS = ("no", "unknown", "yes")
"""What a corpus may say of singing in a recording, in the extra column ``vocals``."""

PIECE_S = 30.0
"""Longest piece of a long recording that is one source, in seconds."""


class CorpusError(SpeechdtError):
    """A corpus cannot be used at all; the message is one line naming the folder or file."""

    def __init__(self, message: str):
        super().__init__(one_line(message))


class Source(NamedTuple):
    """One recording, or one region of a recording, as its corpus describes it.

    Attributes
    ----------
    path : str
        What `audio.read` reads: a file as reached from the working directory, or a region of it
        (see :func:`region`).
    source_id : str
        Unique name.
    label, category : str
        See `CATEGORIES`.
    group_id : str
        Speaker, video, artist or recording family: what must never be in two splits.
    extra : dict
        What else the corpus tells; ``vocals`` is one of `VOCALS`.
    reason : str
        Why it is left out, '' if it is not.
    """

    path: str
    source_id: str
    label: str
    category: str
    group_id: str
    extra: dict[str, str]
    reason: str = ""


def pieces(start_s: float, stop_s: float) -> Iterator[tuple[float, float]]:
    """Cut a region, in seconds, into equal pieces of at most `PIECE_S`."""
    count = max(ceil((stop_s - start_s) / PIECE_S - 1e-9), 1)
    length = (stop_s - start_s) / count
    for number in range(count):
        yield start_s + number * length, start_s + (number + 1) * length
