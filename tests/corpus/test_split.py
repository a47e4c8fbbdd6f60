"""Whole groups go to train, dev or test."""

import numpy as np
import pandas as pd
import pytest

from speechdt.audio.activity import to_runs
from speechdt.corpus import split
from speechdt.corpus.sources import CorpusError


def index_of(groups, category="speech", frames=150, origin=""):
    runs = to_runs(np.ones(frames, dtype=bool))
    return pd.DataFrame(
        {
            "source_id": [f"{group}/{i}" for group in groups for i in range(2)],
            "group_id": [group for group in groups for _ in range(2)],
            "category": category,
            "label": "SPEECH" if category == "speech" else "NONSPEECH",
            "origin": [origin or group for group in groups for _ in range(2)],
            "active": [runs] * (2 * len(groups)),
        }
    )


def splits_of(sources):
    return sources.groupby("group_id")["split"].agg(set)


def test_no_group_is_in_two_splits(sources):
    assert (splits_of(sources).map(len) == 1).all()


def test_a_fifth_of_the_groups_for_dev_and_for_test_in_every_category(sources):
    groups = sources.groupby("group_id").agg(
        category=("category", "first"), split=("split", "first"), long=("full_length", "any")
    )
    for _, members in groups.groupby("category"):
        share = members["split"].value_counts(normalize=True)
        assert share["test"] == share["dev"]
        held_out = members["long"].sum() * split.MOST_OF_THE_LONG
        assert (members["split"] == "test").sum() == min(round(0.2 * len(members)), round(held_out))


def test_dev_and_test_groups_can_fill_the_longest_duration(sources):
    able = sources.groupby(["split", "group_id"])["full_length"].any()
    assert able["dev"].all()
    assert able["test"].all()


@pytest.mark.parametrize(("groups", "expected"), [(1, {"test"}), (2, {"dev", "test"})])
def test_few_groups_serve_test_first(groups, expected):
    assigned = split.assign(index_of([f"g{i}" for i in range(groups)]), [200, 1000], seed=1)
    assert set(assigned["split"]) == expected


def test_the_seed_decides():
    index = index_of([f"g{i}" for i in range(30)])
    one, same, other = (split.assign(index, [1000], seed=seed)["split"] for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_groups_that_are_too_short_go_to_train():
    index = pd.concat(
        [
            index_of([f"long{i}" for i in range(9)]),
            index_of([f"short{i}" for i in range(9)], frames=50),
        ],
        ignore_index=True,
    )
    assigned = splits_of(split.assign(index, [200, 1000], seed=1))
    short = assigned[assigned.index.str.startswith("short")]
    assert (short == {"train"}).all()
    assert sum("test" in s for s in assigned) == 3  # 30 % of nine, since 20 % of 18 are more


def games(count, voices=1, sounds=3):
    """Index of games of both classes, beside as many sources of either class of no game."""
    parts = [index_of([f"voice{i}" for i in range(3 * count * voices)], origin="voices")]
    parts += [index_of([f"sound{i}" for i in range(3 * count * sounds)], "noise", origin="sounds")]
    for game in (f"game{i}" for i in range(count)):
        parts += [index_of([f"{game}-v{i}" for i in range(voices)], origin=game)]
        parts += [index_of([f"{game}-s{i}" for i in range(sounds)], "noise", origin=game)]
    return pd.concat(parts, ignore_index=True)


def test_unseen_origins_are_in_test_alone_and_fill_half_of_it():
    index = games(10)
    sources = split.assign(index, [1000], seed=1, unseen=0.5)
    unseen = sources[sources["unseen"]]
    # 40 groups of speech, 8 of them in test, so 4 games of a voice each.
    assert unseen["origin"].nunique() == 4
    assert set(unseen["split"]) == {"test"}
    assert set(unseen["label"]) == {"SPEECH", "NONSPEECH"}
    elsewhere = sources[sources["split"] != "test"]
    assert not set(unseen["origin"]) & set(elsewhere["origin"])
    # As many groups in each split as without them.
    plain = split.assign(index, [1000], seed=1)
    for name in ("train", "dev", "test"):
        counts = [
            of.loc[of["split"] == name].groupby("category")["group_id"].nunique().to_dict()
            for of in (sources, plain)
        ]
        assert counts[0] == counts[1]


def test_unseen_origins_may_be_named():
    sources = split.assign(games(3), [1000], seed=1, unseen=["game2"])
    assert set(sources.loc[sources["unseen"], "origin"]) == {"game2"}
    with pytest.raises(CorpusError, match="no recording is of origin 'game9'"):
        split.assign(games(3), [1000], seed=1, unseen=["game9"])


def test_an_origin_that_shares_a_group_is_never_unseen():
    index = games(4)
    index.loc[index["group_id"].isin(["game0-v0", "game1-v0"]), "group_id"] = "one actor"
    sources = split.assign(index, [1000], seed=1, unseen=1.0)
    assert set(sources.loc[sources["unseen"], "origin"]) <= {"game2", "game3"}


def test_the_embedded_corpus_has_unseen_origins(sources):
    split_of = split.assign(
        sources.drop(columns=["split", "full_length", "unseen"]),
        [200, 300, 500, 1000],
        seed=20251019,
        unseen=0.5,
    )
    unseen = split_of[split_of["unseen"] & split_of["full_length"]]
    counts = unseen.groupby("label")[["origin", "group_id"]].nunique()
    assert (counts["origin"] >= 3).all()
    assert (counts["group_id"] >= 5).all()
