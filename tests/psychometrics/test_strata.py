"""Backgrounds and the SNR in the speech band: a planted observer's shifts; γ of each duration."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri
from support.made_observers import COLORS, SPREAD, simulate, threshold

from speechdt.psychometrics import curve
from speechdt.psychometrics.decided import Draws
from speechdt.psychometrics.rates import rates
from speechdt.psychometrics.strata import parts
from speechdt.psychometrics.thresholds import thresholds
from speechdt.statistics.criterion import Thresholds

SETTINGS = {"replicates": 100, "seed": 1}
LARGE = {"groups": 30, "items": 40, "shift": 0}
DURATIONS = (200, 400, 800)
SNRS = np.arange(-20.0, 21.0, 5.0)
HEARS, WIDE = {"white": -3.0, "brown": 2.0}, 4.0
"""Where an observer hears one half, by background, and the spread of its hearing, in dB."""


def test_an_observer_that_hears_by_the_speech_band_differs_between_colours_by_the_offset():
    table, _ = thresholds(*simulate(5.0, by_band=True, **LARGE), **SETTINGS)
    rows = table.set_index(["kind", "dimension", "slice"])["dt75"]
    truth = threshold(5.0)
    for color, offset in COLORS.items():
        assert rows["roc10", "snr", color] == pytest.approx(truth - offset, abs=0.8)
        assert rows["roc10", "snr_speech", color] == pytest.approx(truth, abs=0.8)
    assert rows["roc10", "snr_speech", "all"] == pytest.approx(truth, abs=0.5)
    # the pooled curve along the nominal SNR mixes the colours and is none of them
    assert abs(rows["roc10", "snr", "all"] - truth) > 1


def test_too_few_groups_in_a_background_have_no_threshold():
    table, curves = thresholds(*simulate(5.0, groups=20, items=5), **SETTINGS)
    of = table[(table["kind"] == "roc10") & (table["slice"] == "white")]
    assert (of[["dt50_censored", "dt75_censored"]] == "undefined").all(axis=None)
    assert of[["dt50", "dt75", "dt75_low", "dt75_high"]].isna().all(axis=None)
    assert curves[(curves["kind"] == "roc10") & (curves["slice"] == "white")].empty
    own = table[(table["kind"] == "detection") & (table["slice"] == "white")]
    assert own["dt75"].notna().all()


def restless(groups=40, items=12, seed=2):
    """Return trials in two backgrounds; NONSPEECH is the more like speech the better it is heard.

    SPEECH that is heard at all is beyond doubt, from a threshold (of hearing one half) of its
    background on; what is not heard leaves the background's own score.
    """
    rng = np.random.default_rng(seed)
    rows = [
        (background, speech, f"{background}{speech}{group}", snr)
        for background in HEARS
        for speech in (True, False)
        for group in range(groups)
        for _ in range(items)
        for snr in SNRS
    ]
    trials = pd.DataFrame(rows, columns=["background", "speech", "group_id", "snr_db"])
    z = rng.normal(size=len(trials))
    place = trials["background"].map(HEARS)
    intrudes = 1.5 * ndtr((trials["snr_db"] - 5) / 5)
    certain = rng.random(len(trials)) < ndtr((trials["snr_db"] - place) / WIDE)
    z = np.where(trials["speech"], np.where(certain, 6.0, z), z + intrudes)
    trials = trials.assign(item_id=trials["group_id"], p_speech=ndtr(z / 2), duration_ms=500)
    catch = trials[trials["snr_db"] == 0].assign(
        p_speech=ndtr(rng.normal(size=len(trials) // len(SNRS)) / 2), snr_db=np.nan
    )
    decisions = {"decided": False, "decided_far10": False}
    return trials.assign(**decisions), catch.assign(**decisions)


def test_hits_at_a_criterion_that_pools_levels_fall_to_the_rate_on_catch_trials():
    """NONSPEECH gives 10 % over all levels, and far less where it is not heard: so does SPEECH."""
    trials, catch = restless()
    table, _ = thresholds(trials, catch, **SETTINGS)
    rows = table[table["kind"] == "roc10"].set_index("slice")
    for background, at in HEARS.items():
        of = trials[(trials["background"] == background) & ~trials["speech"]]
        score = np.quantile(of["p_speech"], 0.9)
        floor = 1 - ndtr(2 * ndtri(score))
        assert floor < 0.06
        row = rows.loc[background]
        assert row["guess"] == pytest.approx(floor, abs=0.02)
        for name, wanted in (("dt50", 0.5), ("dt75", 0.75)):
            truth = at + WIDE * ndtri((wanted - floor) / (1 - floor))
            assert row[name] == pytest.approx(truth, abs=0.5)
        assert row["fit_p"] > 0.01
        observed = next(part for part in parts(trials, catch) if part.name == background)
        counts = rates(observed, [Draws(100, 1, {})])["roc10"]
        held = curve.fit(SNRS, counts.successes, counts.trials, guess=np.full(101, 0.1))
        own = curve.fit(SNRS, counts.successes, counts.trials, guess=counts.guess)
        deviances = [fit.deviance(counts.successes, counts.trials)[0] for fit in (held, own)]
        assert deviances[0] > 3 * deviances[1]
    # each level by itself has 10 % everywhere
    assert rows.loc["all", "guess"] == 0.1


def test_guess_rates_of_each_duration_are_those_of_its_catch_trials():
    trials, catch = simulate(0.0, durations=DURATIONS, doubling=6.0, items=20, shift=0)
    eager = catch["duration_ms"] == 800
    catch = catch.assign(decided=catch["decided"].where(~eager, np.arange(len(catch)) % 5 == 0))
    along = next(part for part in parts(trials, catch) if part.dimension == "duration")
    guess = rates(along, [Draws(50, 1, {})])["detection"].guess
    assert guess.shape == (51, 3)
    expected = catch.groupby("duration_ms")["decided"].mean()
    np.testing.assert_allclose(guess[0], expected)


def test_along_duration_only_the_levels_of_the_plan_are_pooled():
    trials, catch = simulate(0.0, durations=DURATIONS, items=3)
    names = [(part.dimension, part.name) for part in parts(trials, catch, plan=[0.0, 5.0])]
    assert [name for dimension, name in names if dimension == "duration"] == ["all", "0", "5"]


def test_a_curve_with_a_guess_rate_at_each_level_is_found_again():
    levels, n = np.array([0.0, 1, 2, 3, 4]), np.full(5, 1e5)
    guess = np.array([0.02, 0.05, 0.1, 0.2, 0.3])
    psi = guess + (1 - guess - 0.03) * ndtr(SPREAD * (levels - 1.8) / 2.2)
    fit = curve.fit(levels, n * psi, n, guess=guess)
    assert (fit.location, fit.width, fit.lapse) == pytest.approx((1.8, 2.2, 0.03), abs=0.01)
    np.testing.assert_allclose(fit.predict(levels), psi, atol=1e-3)
    at = fit.threshold([0.5, 0.75])
    np.testing.assert_allclose(fit.predict(at), [0.5, 0.75], atol=1e-3)
    constant = curve.fit(levels, n * psi, n, guess=np.full(5, 0.1))
    alike = curve.fit(levels, n * psi, n, guess=0.1)
    assert constant.threshold(0.75) == pytest.approx(float(alike.threshold(0.75)), abs=1e-3)


def test_a_decision_threshold_that_is_uncertain_widens_its_own_curves_alone():
    trials, catch = simulate(0.0, items=6)
    base = 1 / (1 + np.exp(-1.0))
    moved = base + np.r_[0, np.random.default_rng(1).normal(0, 0.12, 100)][None]
    settings = {"replicates": 100, "seed": 1}
    fixed, _ = thresholds(trials, catch, **settings)
    again, _ = thresholds(trials, catch, criteria=Thresholds(moved, moved), **settings)
    keys = ["kind", "dimension", "slice"]
    fixed, again = (table.set_index(keys) for table in (fixed, again))
    width = lambda table, kind: np.diff(  # noqa: E731
        table.loc[(kind, "snr", "all"), ["dt75_low", "dt75_high"]].astype(float)
    )[0]
    assert width(again, "detection") > 1.3 * width(fixed, "detection")
    pd.testing.assert_frame_equal(again.loc["roc10"], fixed.loc["roc10"])
    np.testing.assert_array_equal(again["dt75"], fixed["dt75"])
