"""Interpolated thresholds beside fitted ones, and the published bank's figures."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from speechdt.psychometrics import published_bank
from speechdt.psychometrics.conditions import measured_conditions
from speechdt.psychometrics.interpolation import crossing, why_apart


def test_a_crossing_lies_between_its_neighbours():
    interpolated = crossing(np.array([20.0, 40, 60]), np.array([0.5, 0.7, 0.9]), 0.75)
    assert interpolated.level == pytest.approx(45)
    assert (interpolated.censored, interpolated.times) == ("", 1)
    assert (interpolated.below, interpolated.above) == (40, 60)
    assert interpolated.rise == pytest.approx(0.2)


def test_what_is_reached_nowhere_or_everywhere_is_not_extrapolated():
    levels = np.array([0.0, 5, 10])
    assert crossing(levels, np.array([0.5, 0.6, 0.7]), 0.75).censored == ">"
    assert crossing(levels, np.array([0.8, 0.9, 1.0]), 0.75).censored == "<"


def test_of_several_crossings_the_first_counts():
    interpolated = crossing(np.arange(4.0), np.array([0.5, 0.8, 0.6, 0.9]), 0.75)
    assert interpolated.times == 3
    assert 0 < interpolated.level < 1


@pytest.mark.parametrize(
    ("rates", "fitted", "censored", "proportion", "says"),
    [
        ((0.5, 0.7, 0.9), 2.2, "", 0.75, ""),
        ((0.5, 0.7, 0.9), 3.5, "", 0.75, "the curve goes by all levels"),
        ((0.5, 0.8, 0.6, 0.9), 2.5, "", 0.75, "cross 75% 3 times"),
        ((0.5, 0.74, 0.76, 0.78), 3.9, "", 0.75, "flat there"),
        ((0.5, 0.7, 0.9), np.nan, "undefined", 0.5, "guessing alone gives 50%"),
        ((0.5, 0.6, 0.7), np.nan, ">", 0.75, ""),
        ((0.5, 0.6, 0.76), np.nan, ">", 0.75, "lies outside of the levels"),
    ],
)
def test_differences_are_explained(rates, fitted, censored, proportion, says):
    interpolated = crossing(np.arange(1.0, len(rates) + 1), np.array(rates), proportion)
    why = why_apart(interpolated, fitted, censored, proportion, guess=0.5)
    assert says in why if says else why == ""


DURATIONS = (20, 40, 60, 80, 100, 200, 500, 1000)
SNRS = (-10, -5, 0, 5, 10, 20)


@pytest.fixture(scope="module")
def bank():
    """Measure a detector that is steep along both axes, on the conditions of the protocol."""
    rng = np.random.default_rng(2)
    conditions = [published_bank.Condition(f"duration_{ms}", "duration", f"{ms}")
                  for ms in DURATIONS]  # fmt: skip
    conditions += [published_bank.Condition(f"noise_{snr}", "noise", f"{snr}") for snr in SNRS]
    conditions += [published_bank.Condition("room_none", "room", "none")]
    probits = {f"duration_{ms}": 2.5 * np.log2(ms / 70) for ms in DURATIONS}
    probits |= {f"noise_{snr}": 0.5 * (snr - 2) for snr in SNRS} | {"room_none": 3}
    rows = [
        {"condition": one.key, "speech": speech, "group_id": f"{speech}{item}", "snr_db": np.nan,
         "p_speech": float(rng.random() < (ndtr(probits[one.key]) if speech else 0.02))}
        for one in conditions for speech in (True, False) for item in range(150)
    ]  # fmt: skip
    measured = measured_conditions(pd.DataFrame(rows), [np.full(201, 0.5)], replicates=200, seed=1)
    return measured, conditions


def test_where_the_curve_is_steep_both_ways_agree(bank):
    by = ["threshold", "axis", "rate", "proportion"]
    table = published_bank.thresholds(*bank).set_index(by)
    for rule in (published_bank.LEARNED, published_bank.HALF):
        for axis, at_half in (("duration", np.log10(70)), ("noise", 2)):
            row = table.loc[rule, axis, "speech heard", 0.5]
            assert row["why"] == ""
            both = np.array([row["interpolated"], row["fitted"]], dtype=float)
            scale = np.log10(both) if axis == "duration" else both
            assert scale == pytest.approx(at_half, abs=0.08 if axis == "duration" else 1.2)
    undefined = table.loc["0.5", "noise", "balanced accuracy", 0.5]
    assert undefined["fitted_censored"] == "undefined"
    assert "guessing alone" in undefined["why"]


def test_accuracies_are_over_clips_and_over_axes(bank):
    table = published_bank.accuracies(*bank).set_index(["threshold", "over"])["accuracy"]
    measured, conditions = bank
    each = [measured[one.key].accuracy[0] for one in conditions]
    axes = [np.mean(each[:8]), np.mean(each[8:14]), each[14]]
    assert table["learned on dev", "all clips"] == pytest.approx(np.mean(each))
    assert table["learned on dev", "mean over axes"] == pytest.approx(np.mean(axes))
    assert table["0.5", "room"] == pytest.approx(each[14])
