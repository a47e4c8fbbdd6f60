"""Train grows through nested sets, each balanced; no group holds more than its fair share."""

from itertools import pairwise

import pandas as pd
import pytest
from scipy.optimize import linprog

from speechdt.trials import balance, items
from speechdt.trials.background_origins import parts
from speechdt.trials.balance import able_groups, fair_share
from speechdt.trials.grid import Grid

PLAN = Grid(snr_db=[-5, 0, 5, 10, 20], duration_ms=[200, 300, 500, 1000], clean_ms=1000)
SIZES = [500, 1000, 2000, 3000]


@pytest.fixture(scope="module")
def planned(sources):
    """The plan's 3,000 clips."""
    return items.uncrossed(sources, 3000, PLAN, seed=3, least_active=0.7)


@pytest.fixture(scope="module")
def targets(sources):
    """What may be a target of train."""
    return parts(sources, "train", items.BACKGROUNDS).targets


def test_every_class_cell_of_the_plan_s_train_set_has_75_clips(planned):
    cells = planned.groupby(["label", "snr_db", "duration_ms"]).size()
    assert len(cells) == 2 * 5 * 4
    assert set(cells) == {75}


def test_categories_are_balanced_in_every_cell(planned):
    nonspeech = planned[planned["label"] == "NONSPEECH"]
    counts = nonspeech.groupby(["snr_db", "duration_ms", "category"]).size()
    assert set(counts) == {18, 19}
    assert nonspeech["category"].value_counts().max() == 375


def test_no_group_holds_more_than_its_fair_share_and_a_fifth(planned, targets):
    for category, part in planned.groupby("category"):
        able = able_groups(targets[targets["category"] == category], PLAN.duration_ms, 0.7)
        fair = evenest(part["duration_ms"].value_counts().to_dict(), able)
        assert part["group_id"].value_counts().max() <= 1.2 * fair


def evenest(clips, able):
    """Return the lightest load of the most burdened group, by a stock linear program."""
    pairs = [(ms, group) for ms in clips for group in sorted(able[ms])]
    groups = sorted({group for _, group in pairs})
    given = [[ms == at for at, _ in pairs] + [0] for ms in clips]
    loads = [[group == of for _, of in pairs] + [-1] for group in groups]
    solved = linprog(
        [0] * len(pairs) + [1], A_ub=loads, b_ub=[0] * len(groups),
        A_eq=given, b_eq=list(clips.values()),
    )  # fmt: skip
    return solved.fun


@pytest.mark.parametrize(
    ("clips", "able"),
    [
        ({200: 30, 1000: 30}, {200: {"a", "b", "c"}, 1000: {"a", "b", "c"}}),
        ({200: 30, 1000: 30}, {200: {"a", "b", "c", "d"}, 1000: {"a"}}),
        ({200: 9, 500: 20, 1000: 30}, {200: set("abcdefg"), 500: set("abc"), 1000: set("ab")}),
        ({200: 50, 500: 1}, {200: {"a", "b"}, 500: {"c"}}),
    ],
)
def test_the_fair_share_is_that_of_the_linear_program(clips, able):
    assert fair_share(clips, able) == pytest.approx(evenest(clips, able))


def test_each_size_is_checked_and_is_the_beginning_of_the_next(planned, targets, sources):
    table = balance.check(planned, targets, 0.7, SIZES)
    assert table["clips"].tolist() == SIZES
    assert (table["largest_cell"] - table["smallest_cell"] <= 1).all()
    assert table.iloc[-1]["smallest_cell"] == 75
    for small, large in pairwise(SIZES[:2]):
        again = items.uncrossed(sources, small, PLAN, seed=3, least_active=0.7)
        pd.testing.assert_frame_equal(again, planned.head(large).head(small))


def test_sizes_beyond_the_set_are_passed_over(planned, targets):
    assert balance.check(planned.head(700), targets, 0.7, SIZES)["clips"].tolist() == [500, 700]


def test_what_is_wrong_is_one_line_at_the_first_size_that_has_it(planned, targets):
    lopsided = planned.copy()
    lopsided.loc[600:700, ["snr_db", "duration_ms"]] = [0, 200]
    with pytest.raises(balance.Unbalanced, match=r"train, 1000 clips: class cells hold \d+ to \d+"):
        balance.check(lopsided, targets, 0.7, SIZES)
    one_voice = planned.copy()
    speech = one_voice.index[one_voice["label"] == "SPEECH"]
    one_voice.loc[speech[:50], "group_id"] = one_voice.loc[speech[0], "group_id"]
    with pytest.raises(balance.Unbalanced, match=r"train, 500 clips: group .* holds 5\d, at most"):
        balance.check(one_voice, targets, 0.7, SIZES)
    with pytest.raises(balance.Unbalanced, match="not numbered in their order"):
        balance.check(planned.iloc[::-1], targets, 0.7, SIZES)
