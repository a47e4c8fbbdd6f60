"""Whole groups go to train, dev or test."""

import numpy as np
import pandas as pd
import pytest

from speechdt.corpus import split
from speechdt.audio.activity import to_runs


def index_of(groups, category="speech", frames=150):
    runs = to_runs(np.ones(frames, dtype=bool))
    return pd.DataFrame(
        {
            "source_id": [f"{group}/{i}" for group in groups for i in range(2)],
            "group_id": [group for group in groups for _ in range(2)],
            "category": category,
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
