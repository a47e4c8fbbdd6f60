"""Contradictory labels: the same audio as SPEECH and as NONSPEECH stops the run."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from speechdt.audio.rate import SAMPLE_RATE
from speechdt.audio.region import file_and_times
from speechdt.corpus.near_duplicates import SHORTEST
from speechdt.errors import SpeechdtError

MOST_NAMED = 10
"""Pairs that an error names."""

_Pair = tuple[str, str, str, str]


class TwoLabels(SpeechdtError):
    """Recordings are the same audio under two labels; the message is one line naming them."""


def check(sources: pd.DataFrame) -> None:
    """Refuse the same samples, and regions of one file that overlap, under two labels.

    What is nearly the same audio is looked for by `audit.audit_recordings`.

    Parameters
    ----------
    sources : DataFrame
        source_id, path, label, seconds, sha256 of those that are used.

    Raises
    ------
    TwoLabels
        If there are any.
    """
    if not sources.empty:
        refuse([*_same_samples(sources), *_overlapping(sources)])


def refuse(pairs: Iterable[_Pair]) -> None:
    """Refuse pairs of recordings: source_id and label of the one, and of the other.

    Raises
    ------
    TwoLabels
        If there are any.
    """
    named = [
        f"{one} ({label}) and {other} ({other_label})"
        for one, label, other, other_label in dict.fromkeys(pairs)
    ]
    if named:
        more = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        raise TwoLabels(
            f"the same audio under two labels: {'; '.join(named[:MOST_NAMED])}{more}; name what is "
            "wrong in a file under exclude"
        )


def _same_samples(sources: pd.DataFrame) -> Iterator[_Pair]:
    alike = sources[sources["sha256"].duplicated(keep=False)].sort_values("source_id")
    first: dict[str, tuple[str, str]] = {}
    for sha256, name, label in _rows(alike, "sha256", "source_id", "label"):
        one, own = first.setdefault(sha256, (name, label))
        if label != own:
            yield one, own, name, label


def _overlapping(sources: pd.DataFrame) -> Iterator[_Pair]:
    """Yield the regions of each file that share a clip's length with one of another label."""
    regions: dict[str, list[tuple[float, float, str, str]]] = defaultdict(list)
    for path, seconds, name, label in _rows(sources, "path", "seconds", "source_id", "label"):
        file, times = file_and_times(path)
        start = times[0] if times else 0.0
        regions[file].append((start, start + seconds, name, label))
    for members in regions.values():
        last: dict[str, tuple[float, str]] = {}  # of each label: which of those so far ends last
        for start, stop, name, label in sorted(members):
            for other_label, (other_stop, other) in last.items():
                shared = min(stop, other_stop) - start
                if other_label != label and shared >= SHORTEST / SAMPLE_RATE:
                    yield other, other_label, name, label
            last[label] = max(last.get(label, (stop, name)), (stop, name))


def _rows(sources: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(sources[column].tolist() for column in columns), strict=True)
