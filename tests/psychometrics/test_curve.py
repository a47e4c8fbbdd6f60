import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from speechdt.psychometrics.curve import Fit, fit

FEW = settings(derandomize=True, max_examples=settings.default.max_examples // 2)
SNR = np.array([-5.0, 0.0, 5.0, 10.0, 20.0])


def curve(location, width, guess, lapse, levels=SNR):
    return Fit(*np.broadcast_arrays(guess, lapse, location, width), levels=levels)


def psi(x, location, width, guess, lapse):
    """The model in words of its definition, independent of the library."""
    sigma = width / (norm.ppf(0.95) - norm.ppf(0.05))
    return guess + (1 - guess - lapse) * norm.cdf(x, location, sigma)


# ------------------------------------------------------------------------------------------- curve


def test_location_and_width_mean_what_they_say():
    f = curve(4.0, 10.0, 0.1, 0.2)
    assert f.predict(4.0) == pytest.approx(0.1 + 0.7 * 0.5)
    ends = f.predict(np.array([-1e3, 1e3]))
    assert ends == pytest.approx([0.1, 0.8])
    plain = curve(4.0, 10.0, 0.0, 0.0)
    assert plain.threshold(0.95) - plain.threshold(0.05) == pytest.approx(10.0)


def test_slope_is_the_derivative():
    f, h = curve(4.0, 10.0, 0.1, 0.2), 1e-5
    numeric = (f.predict(SNR + h) - f.predict(SNR - h)) / (2 * h)
    assert f.slope(SNR) == pytest.approx(numeric, abs=1e-9)


def test_threshold_is_where_psi_itself_reaches_the_proportion():
    f = curve(np.array([2.0, 8.0]), 10.0, 0.1, np.array([0.02, 0.15]))
    for proportion in (0.3, 0.5, 0.75):
        assert np.diag(f.predict(f.threshold(proportion))) == pytest.approx(proportion)
    assert f.threshold(0.5)[0] != pytest.approx(2.0)  # psi at the location is not 0.5


@settings(derandomize=True)
@given(
    location=st.floats(-10, 25),
    width=st.floats(5, 60),
    guess=st.floats(0, 0.95),
    lapse=st.floats(0, 0.9),
    proportion=st.floats(0.01, 0.99),
)
def test_thresholds_are_never_extrapolated_and_say_why(location, width, guess, lapse, proportion):
    f = curve(location, width, guess, min(lapse, 1 - guess))
    level, reason = f.threshold(proportion), f.censored(proportion)
    lowest, highest = f.predict(SNR[0]), f.predict(SNR[-1])
    if reason == "":
        assert SNR[0] <= level <= SNR[-1]
        assert f.predict(level) == pytest.approx(proportion, abs=1e-6)
        assert f.extended_threshold(proportion) == level
        return
    assert np.isnan(level)
    if reason == "undefined":
        assert guess >= proportion
        assert f.extended_threshold(proportion) == -np.inf
    elif reason == ">":
        assert highest < proportion
        assert f.extended_threshold(proportion) == np.inf
    else:
        assert reason == "<"
        assert lowest > proportion > guess
        assert f.extended_threshold(proportion) == -np.inf


@settings(derandomize=True)
@given(st.floats(-10, 25), st.floats(5, 60), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_higher_proportion_needs_a_higher_level(location, width, guess, lapse):
    f = curve(location, width, guess, lapse)
    proportions = np.linspace(guess + 0.01, 0.99, 30)  # below, everything is undefined
    levels = f.extended_threshold(proportions)
    assert (levels[1:] >= levels[:-1]).all()
    rank = {"<": 0, "": 1, ">": 2}
    assert (np.diff([rank[reason] for reason in f.censored(proportions)]) >= 0).all()


def test_several_proportions_of_several_curves_at_once():
    f = curve(np.array([2.0, 8.0, 40.0]), 10.0, 0.3, 0.0)
    proportions = np.array([0.2, 0.5, 0.75])
    one_by_one = np.stack([f.threshold(p) for p in proportions], axis=-1)
    assert np.array_equal(f.threshold(proportions), one_by_one, equal_nan=True)
    assert f.censored(proportions).tolist() == [["undefined", "", ""]] * 2 + [
        ["undefined", ">", ">"]
    ]


@pytest.mark.parametrize("proportion", [0, 1, -0.5, np.nan])
def test_a_proportion_must_be_one(proportion):
    with pytest.raises(ValueError, match="proportion"):
        curve(0.0, 10.0, 0.0, 0.0).threshold(proportion)


# ------------------------------------------------------------------------------------------ fitting

OBSERVERS = [(4, 12, 0.02, 0.03), (9, 18, 0.10, 0.08), (0, 11, 0.30, 0.02), (5, 20, 0.0, 0.2)]


@pytest.mark.parametrize("true", OBSERVERS)
@pytest.mark.parametrize("fixed", [True, False])
def test_parameters_are_recovered(true, fixed):
    location, width, guess, lapse = true
    rng = np.random.default_rng(7)
    levels = np.arange(-15.0, 36, 5) if not fixed else SNR  # a free guess rate needs low levels
    trials = np.full(levels.size, 4000)
    successes = rng.binomial(trials, psi(levels, *true), size=(200, levels.size))
    f = fit(levels, successes, trials, guess=guess if fixed else None)
    assert np.median(f.location) == pytest.approx(location, abs=0.25)
    assert np.median(f.width) == pytest.approx(width, rel=0.05)
    assert np.median(f.lapse) == pytest.approx(lapse, abs=0.01)
    assert np.median(f.guess) == pytest.approx(guess, abs=0.01)
    error = np.abs(f.threshold(0.75) - curve(location, width, guess, lapse).threshold(0.75))
    assert np.quantile(error, 0.9) < 0.6


def test_expected_counts_give_the_curve_back():
    trials = np.full(SNR.size, 1e7)
    f = fit(SNR, trials * psi(SNR, 6, 14, 0.1, 0.05), trials, guess=0.1, lapse=0.05)
    assert (f.location, f.width) == pytest.approx((6, 14), abs=1e-3)


@pytest.mark.parametrize(
    ("successes", "guess"),
    [
        ([1, 12, 62, 93, 99], 0.02),
        ([12, 21, 30, 56, 85], 0.10),
        ([5, 45, 95, 100, 100], 0.02),
        ([25, 36, 73, 91, 98], 0.3),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_psignifit(successes, guess):
    psignifit = pytest.importorskip("psignifit")
    table = np.column_stack([SNR, successes, np.full(SNR.size, 100)])
    oracle = psignifit.psignifit(
        table, experiment_type="yes/no", fixed_parameters={"gamma": guess}, debug=False
    )
    f = fit(SNR, successes, table[:, 2], guess=guess)
    for proportion in (0.5, 0.75):
        theirs = float(np.ravel(oracle.threshold(proportion, unscaled=False)[0])[0])
        assert f.threshold(proportion) == pytest.approx(theirs, abs=0.2)
    assert f.width == pytest.approx(oracle.parameter_estimate["width"], rel=0.05)
    assert f.lapse == pytest.approx(oracle.parameter_estimate["lambda"], abs=0.005)


def log_posterior(theta, successes, trials, levels):
    """Posterior under psignifit's priors, as the paper words them."""
    location, width, lapse, guess = theta
    span, step = np.ptp(levels), np.diff(levels).min()
    outside = max(levels[0] - location, location - levels[-1], 0) / (span / 2)
    narrow, wide = max(2 * step - width, 0) / step, max(width - span, 0) / (2 * span)
    if max(outside, narrow, wide) >= 1 or lapse < 0 or guess < 0 or lapse + guess > 1:
        return -np.inf
    prior = sum(np.log((1 + np.cos(np.pi * u)) / 2) for u in (outside, narrow, wide))
    p = np.clip(psi(levels, *theta[:2], guess, lapse), 1e-12, 1 - 1e-12)
    likelihood = successes @ np.log(p) + (trials - successes) @ np.log(1 - p)
    return likelihood + prior + 9 * np.log((1 - lapse) * (1 - guess))


@FEW
@given(
    st.lists(st.floats(0, 1), min_size=5, max_size=5).map(sorted),
    st.sampled_from([10, 60, 400]),
)
def test_no_random_walk_finds_a_better_curve(rates, trials):
    trials = np.full(5, trials)
    successes = np.round(np.array(rates) * trials)
    f = fit(SNR, successes, trials)
    best = np.array([f.location, f.width, f.lapse, f.guess])
    reached = log_posterior(best, successes, trials, SNR)
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1e-2, 0.1, 1.0):
        for _ in range(25):
            near = best + scale * rng.standard_normal(4) * [1, 1, 0.05, 0.05]
            near[2:] = np.maximum(near[2:], 0)
            assert log_posterior(near, successes, trials, SNR) <= reached + 1e-3


@FEW
@given(st.integers(0, 2**32 - 1))
def test_a_batch_is_its_curves_one_by_one(seed):
    rng = np.random.default_rng(seed)
    trials = rng.integers(1, 50, size=(2, 3, 5))
    successes = rng.binomial(trials, np.sort(rng.random((2, 3, 5))))
    guess = rng.uniform(0, 0.3, size=(2, 3))
    batch = fit(SNR, successes, trials, guess=guess)
    assert batch.location.shape == (2, 3)
    for index in np.ndindex(2, 3):
        one = fit(SNR, successes[index], trials[index], guess=guess[index])
        assert np.ndim(one.location) == 0
        assert one.predict(SNR) == pytest.approx(batch.predict(SNR)[index], abs=1e-3)


def test_deterministic():
    rng = np.random.default_rng(1)
    trials = np.full((50, 5), 40)
    successes = rng.binomial(trials, psi(SNR, 4, 12, 0.1, 0.05))
    one, two = fit(SNR, successes, trials), fit(SNR, successes, trials)
    assert np.array_equal(one.location, two.location)
    assert np.array_equal(one.lapse, two.lapse)


def test_shifted_or_scaled_levels_shift_and_scale_the_curve():
    successes, trials = [3, 12, 62, 93, 99], np.full(5, 100)
    f = fit(SNR, successes, trials, guess=0.02)
    g = fit(3 * SNR + 7, successes, trials, guess=0.02)
    assert g.location == pytest.approx(3 * f.location + 7, abs=0.01)
    assert g.width == pytest.approx(3 * f.width, abs=0.02)
    assert g.lapse == pytest.approx(f.lapse, abs=1e-4)


def test_durations_in_log_milliseconds():
    levels = np.log10([200, 300, 500, 1000])
    f = fit(levels, [20, 45, 80, 97], np.full(4, 100), guess=0.05)
    assert 300 < 10 ** f.threshold(0.5) < 500
    assert f.censored(0.75) == ""


@FEW
@given(st.lists(st.integers(0, 30), min_size=5, max_size=5).map(sorted))
def test_yes_and_no_are_symmetric(successes):
    """Counting "no" from the other end swaps guess and lapse, under the same priors."""
    successes, trials = np.array(successes), np.full(5, 30)
    f = fit(SNR, successes, trials)
    g = fit(-SNR[::-1], (trials - successes)[::-1], trials)
    here = log_posterior((f.location, f.width, f.lapse, f.guess), successes, trials, SNR)
    there = log_posterior((-g.location, g.width, g.guess, g.lapse), successes, trials, SNR)
    assert here == pytest.approx(there, abs=0.1)  # the starts are not symmetric


def test_weights_count_as_trials_do():
    successes, trials = np.array([1, 4, 8, 9, 9]), np.full(5, 10)
    once = fit(SNR, successes, trials, guess=0.0)
    twice = fit(SNR, np.array([2, 8, 16, 18, 18]), np.full(5, 20), guess=0.0)
    weighted = fit(SNR, successes * 2.5, trials * 2.5, guess=0.0)
    assert weighted.lapse > twice.lapse > once.lapse > 0  # the prior holds it back, ever less
    between = fit(SNR, successes * 2.0, trials * 2.0, guess=0.0)
    assert between.threshold(0.75) == pytest.approx(twice.threshold(0.75))


def test_a_level_without_trials_says_nothing():
    successes, trials = np.array([5.0, 0, 50, 80, 95]), np.array([100.0, 0, 100, 100, 100])
    f = fit(SNR, successes, trials, guess=0.02)
    second = np.arange(5) == 1
    tiny = fit(SNR, successes + 1e-9 * second, trials + 2e-9 * second, guess=0.02)
    assert f.threshold(0.75) == pytest.approx(tiny.threshold(0.75), abs=1e-3)
    assert f.deviance(successes, trials) < 5


def test_deviance_against_its_definition():
    successes, trials = np.array([0, 12, 62, 93, 100]), np.full(5, 100)
    f = fit(SNR, successes, trials, guess=0.02)
    p, rate = f.predict(SNR), successes / trials
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.nan_to_num(successes * np.log(rate / p))
        no = np.nan_to_num((trials - successes) * np.log((1 - rate) / (1 - p)))
    assert f.deviance(successes, trials) == pytest.approx(2 * (yes + no).sum())
    assert f.deviance(np.stack([successes, successes]), trials).shape == (2,)


# ------------------------------------------------------------------------------- extreme observers


@pytest.mark.parametrize("guess", [1.0, 0.99, 0.9])
@pytest.mark.parametrize("rate", [1.0, 0.98, 0.93])
def test_always_yes_has_no_threshold(guess, rate):
    f = fit(SNR, np.full(5, 400 * rate), np.full(5, 400), guess=guess)
    for proportion in (0.5, 0.75):
        assert f.censored(proportion) == "undefined"
        assert np.isnan(f.threshold(proportion))
        assert f.extended_threshold(proportion) == -np.inf


def test_always_no_is_above_the_range():
    f = fit(SNR, np.zeros(5), np.full(5, 400), guess=0.0)
    assert f.censored([0.5, 0.75]).tolist() == [">", ">"]
    assert f.extended_threshold(0.5) == np.inf


def test_perfect_is_below_the_range():
    for guess in (0.0, 0.05, None):
        f = fit(SNR, np.full(5, 400), np.full(5, 400), guess=guess)
        assert f.censored(0.75) == "<", guess
        assert f.extended_threshold(0.75) == -np.inf


def test_a_ceiling_below_the_proportion_is_above_the_range():
    f = fit(SNR, [5, 40, 65, 70, 70], np.full(5, 100), guess=0.0)
    assert f.censored(0.5) == ""
    assert f.censored(0.75) == ">"
    assert curve(5.0, 10.0, 0.0, 0.25).censored(0.75) == ">"  # 1 - lapse is the proportion itself


def test_a_falling_rate_gives_a_flat_curve():
    f = fit(SNR, [90, 70, 50, 30, 10], np.full(5, 100))
    assert np.ptp(f.predict(SNR)) < 0.1
    assert f.guess + f.lapse <= 1


# ------------------------------------------------------------------------------------------- speed


def test_a_thousand_refits_take_well_under_a_second():
    rng = np.random.default_rng(0)
    trials = np.full((1000, 5), 400)
    successes = rng.binomial(trials, psi(SNR, 4, 12, 0.05, 0.05))
    guess = rng.uniform(0.02, 0.08, 1000)
    begun = time.process_time()
    fit(SNR, successes, trials, guess=guess)
    assert time.process_time() - begun < 1.0  # 0.07 s on the machine this was written on


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("levels", "successes", "trials", "rates", "says"),
    [
        ([0], [1], [2], {}, "two"),
        ([0, 0], [1, 1], [2, 2], {}, "increasing"),
        ([1, 0], [1, 1], [2, 2], {}, "increasing"),
        ([0, np.nan], [1, 1], [2, 2], {}, "increasing"),
        ([[0, 1]], [1, 1], [2, 2], {}, "row"),
        ([0, 1], [3, 1], [2, 2], {}, "more successes"),
        ([0, 1], [-1, 1], [2, 2], {}, "negative"),
        ([0, 1], [0, 0], [-2, 2], {}, "negative"),
        ([0, 1], [np.nan, 1], [2, 2], {}, "finite"),
        ([0, 1], [1, 1], [np.inf, 2], {}, "finite"),
        ([0, 1], [1, 1, 1], [2, 2, 2], {}, "levels"),
        ([0, 1], [1, 1], [2, 2, 2], {}, "fit together"),
        ([0, 1], 1, 2, {}, "levels"),
        ([0, 1], [0, 0], [0, 0], {}, "trials"),
        ([0, 1], [1, 1], [2, 2], {"guess": 1.1}, "guess"),
        ([0, 1], [1, 1], [2, 2], {"guess": np.nan}, "guess"),
        ([0, 1], [1, 1], [2, 2], {"lapse": -0.1}, "lapse"),
        ([0, 1], [1, 1], [2, 2], {"lapse": [0.1, 0.1]}, "shape"),
        ([0, 1], [1, 1], [2, 2], {"guess": 0.6, "lapse": 0.6}, "sum"),
    ],
)
def test_bad_input_is_one_clear_line(levels, successes, trials, rates, says):
    with pytest.raises(ValueError, match=says) as error:
        fit(levels, successes, trials, **rates)
    assert "\n" not in str(error.value)
