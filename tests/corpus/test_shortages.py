"""Shortages of a corpus: each is said with its cause."""

import pandas as pd
import pytest

from speechdt.corpus import shortages, split

NONSPEECH = ["music", "animals", "noise", "environment"]


def assigned(groups=8, active_frames=300, speech_groups=None):
    """Return sources of every category, each group of one recording that is active so long."""
    rows = []
    for category in ["speech", *NONSPEECH]:
        label = "SPEECH" if category == "speech" else "NONSPEECH"
        own = speech_groups if speech_groups and category == "speech" else groups
        for number in range(groups):
            row = {"source_id": f"{category}/{number}.wav", "label": label, "category": category}
            group = f"{category}/{number % own}"
            rows.append(row | {"group_id": group, "origin": "own", "active": [0, active_frames]})
    return split.assign(pd.DataFrame(rows), [200, 1000], seed=1)


def test_enough_is_not_named():
    shortages.check(assigned(), [200, 1000], 1000, NONSPEECH)
    assert not shortages.notes(assigned(), 0.2)


def test_one_group_that_holds_all_of_a_class_is_named():
    with pytest.raises(
        shortages.Shortage,
        match=r"all 8 recordings of SPEECH 'speech' are in group speech/0, .*speech/<speaker>/…",
    ):
        shortages.check(assigned(speech_groups=1), [200, 1000], 1000, NONSPEECH)


@pytest.mark.parametrize(
    ("durations_ms", "clean_ms", "key"),
    [
        ([200], 1000, "grid.clean_ms is 1000"),
        ([200, 1000], 500, "the longest of grid.duration_ms is 1000"),
    ],
)
def test_too_short_clips_are_named_with_the_key(durations_ms, clean_ms, key):
    sources = assigned(active_frames=40)
    message = rf"'speech' is active for 1000 ms: the longest .* 0.4 s \(speech/0.wav\); {key}$"
    with pytest.raises(shortages.Shortage, match=message):
        shortages.check(sources, durations_ms, clean_ms, NONSPEECH)


def test_a_category_that_is_not_asked_for_may_lack():
    sources = assigned()
    sources = sources[(sources["category"] != "music") | (sources["group_id"] == "music/0")]
    with pytest.raises(shortages.Shortage, match="all 1 recordings of NONSPEECH 'music'"):
        shortages.check(sources, [200, 1000], 1000, NONSPEECH)
    shortages.check(sources, [200, 1000], 1000, NONSPEECH[1:])


def test_a_split_with_one_group_of_a_class_is_named():
    (dev, test) = shortages.notes(assigned(speech_groups=4), 0.2)
    assert dev.startswith("dev has 1 of 4 groups of SPEECH, and an interval needs 2")
    assert test.startswith("test has 1 of 4 groups of SPEECH")
