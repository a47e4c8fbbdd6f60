"""The items are balanced, and chosen by the seed alone."""

import pandas as pd
import pytest

from speechdt.trials import items
from speechdt.trials.background_origins import parts


def choose(sources, grid, split="test", per_class=40, seed=3, **options):
    return items.crossed(sources, split, per_class, grid, seed=seed, least_active=0.7, **options)


def test_classes_categories_groups_and_backgrounds_are_balanced(sources, grid):
    chosen = choose(sources, grid)
    assert chosen["label"].value_counts().to_dict() == {"SPEECH": 40, "NONSPEECH": 40}
    nonspeech = chosen[chosen["label"] == "NONSPEECH"]
    assert set(nonspeech["category"].value_counts()) == {10}
    for _, members in chosen.groupby("category"):
        groups = sources[
            (sources["split"] == "test") & (sources["category"] == members["category"].iloc[0])
        ]["group_id"].nunique()
        turns = members["group_id"].value_counts()
        assert turns.max() - (turns.min() if len(turns) == groups else 0) <= 1
    for _, members in chosen.groupby("label"):
        assert set(members["background"].value_counts()) == {8}


def test_target_and_background_are_of_the_split_and_of_different_groups(sources, grid):
    chosen = choose(sources, grid)
    of_split = sources[sources["split"] == "test"]
    recorded = chosen[chosen["background"] == "recording"]
    assert set(chosen["group_id"]) <= set(of_split["group_id"])
    noise = of_split[of_split["category"] == "noise"]
    assert set(recorded["background_group"]) <= set(noise["group_id"])
    assert (chosen["group_id"] != chosen["background_group"]).all()


def test_a_background_is_heard_before_as_many_groups_as_can_be(sources, grid):
    chosen = choose(sources, grid, per_class=150)
    nonspeech = chosen[chosen["label"] == "NONSPEECH"]
    assert (nonspeech.groupby("background")["group_id"].nunique() == 30).all()
    speech = chosen[chosen["label"] == "SPEECH"]
    assert (
        speech.groupby("background")["group_id"].nunique() == speech["group_id"].nunique()
    ).all()


def test_recorded_backgrounds_are_of_origins_without_targets(sources, grid):
    for split in ("dev", "test"):
        chosen = choose(sources, grid, split=split, per_class=80)
        recorded = set(chosen["background_origin"]) - {""}
        assert recorded
        assert not recorded & set(chosen["origin"])
        assert chosen.loc[chosen["background_origin"] != "", "background_group"].nunique() >= 4


def test_without_enough_origins_backgrounds_share_those_of_targets(sources, grid):
    one = sources.assign(origin="all of one game")
    chosen = choose(one, grid)
    assert not parts(one, "test", items.BACKGROUNDS).apart
    assert set(chosen["background_origin"]) == {"", "all of one game"}


def test_the_seed_decides(sources, grid):
    pd.testing.assert_frame_equal(choose(sources, grid), choose(sources, grid))
    assert not choose(sources, grid)["start"].equals(choose(sources, grid, seed=4)["start"])


def test_a_larger_split_is_named_alike(sources, grid):
    assert set(choose(sources, grid, per_class=8)["item_id"].str.len()) <= {
        len(f"test-{category}-00000") for category in sources["category"].unique()
    }


def test_a_class_that_runs_dry_is_one_line(sources, grid):
    with pytest.raises(items.TooFewSources, match=r"no SPEECH source; 40 items are missing"):
        choose(sources[sources["label"] == "NONSPEECH"], grid)
    lone = sources[(sources["category"] != "music") | (sources["split"] != "test")]
    with pytest.raises(items.TooFewSources, match=r"test: no group of NONSPEECH 'music'.*10 items"):
        choose(lone, grid)
    quiet = sources[sources["category"] != "noise"]
    with pytest.raises(items.TooFewSources, match="recorded backgrounds need 2 groups of 'noise'"):
        choose(quiet, grid)
    with pytest.raises(items.TooFewSources, match=r"no NONSPEECH source of category 'noise'"):
        choose(quiet, grid, backgrounds=["white"])
    rest = ["music", "animals", "environment"]
    assert len(choose(quiet, grid, backgrounds=["white"], categories=rest)) == 80


def test_a_category_that_is_missing_is_one_line_before_anything_is_made(sources):
    rest = sources[sources["category"] != "animals"]
    with pytest.raises(items.TooFewSources, match=r"^dev: .* category 'animals'; 3 items are miss"):
        items.check_classes(rest, {"dev": 10, "test": 16})
    items.check_classes(rest, {"dev": 10, "test": 16}, ["music", "noise", "environment"])


def test_synthetic_noise_is_a_target_but_no_recorded_background(sources, grid):
    made = sources[sources["category"] == "noise"].assign(
        path=lambda noises: [f"noise:pink/{i:05d}#t=0,5" for i in range(len(noises))]
    )
    rest = sources[sources["category"] != "noise"]
    with pytest.raises(items.TooFewSources, match="recorded backgrounds need 2 groups of 'noise'"):
        choose(pd.concat([rest, made]), grid)
    chosen = choose(pd.concat([rest, made]), grid, backgrounds=["white"])
    assert chosen["path"].str.startswith("noise:pink").sum() == 10


def test_train_is_balanced_from_any_beginning(sources, grid):
    chosen = items.uncrossed(sources, 300, grid, seed=3, least_active=0.7)
    assert set(chosen["group_id"]) <= set(sources[sources["split"] == "train"]["group_id"])
    for clips in (17, 128, 300):
        counts = chosen.head(clips).groupby(["label", "snr_db", "duration_ms"]).size()
        assert counts.max() - counts.min() <= 1 or clips < 12
    counts = chosen[chosen["label"] == "NONSPEECH"]["category"].value_counts()
    assert counts.max() - counts.min() <= 12
    assert len(chosen.drop_duplicates(["source_id", "start"])) > 280


def test_a_smaller_train_set_is_the_beginning_of_a_larger(sources, grid):
    small, large = (items.uncrossed(sources, n, grid, seed=3, least_active=0.7) for n in (60, 120))
    pd.testing.assert_frame_equal(small, large.head(60))
