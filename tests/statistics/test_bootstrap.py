import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr, ndtri
from scipy.stats import binom, binomtest, t

from speechdt.psychometrics.curve import SPREAD, fit
from speechdt.statistics import bootstrap
from speechdt.statistics.bootstrap import group_weights, interval

INF = np.inf

# ------------------------------------------------------------------------------------------ groups


def test_groups_of_both_classes_are_two_and_nonspeech_comes_first():
    speech = [True, False, True, False, True]
    codes, of_speech, names = bootstrap.groups_by_class(speech, ["b", "b", "a", "é", "b"])
    assert codes.tolist() == [3, 0, 2, 1, 3]
    assert of_speech.tolist() == [False, False, True, True]
    assert names.tolist() == ["b", "é", "a", "b"]


def test_groups_that_are_numbers_are_in_the_order_of_numbers():
    codes, of_speech, names = bootstrap.groups_by_class([True] * 3, [10, 9, 10])
    assert codes.tolist() == [1, 0, 1]
    assert of_speech.all()
    assert names.tolist() == [9, 10]


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_trial_without_a_group(missing):
    with pytest.raises(ValueError, match="needs a group"):
        bootstrap.groups_by_class([True, False], np.array(["a", missing], dtype=object))


def test_classes_weigh_alike_whatever_their_numbers():
    of_speech = np.array([True, True, False])
    sums, counts = np.array([[1.0, 4], [3, 0], [5, 10]]), [4, 4, 10]
    means = bootstrap.balanced(np.array([[1.0, 1, 1], [0, 2, 1]]), of_speech, sums, counts)
    assert means == pytest.approx(np.array([[0.5, 0.75], [0.625, 0.5]]))


# ----------------------------------------------------------------------------------------- weights


def test_weights_sum_to_the_groups_of_each_stratum():
    strata = np.array(["speech"] * 13 + ["nonspeech"] * 7 + ["catch"])
    weights = group_weights(strata, 200, seed=3)
    assert weights.shape == (200, 21)
    for name, groups in (("speech", 13), ("nonspeech", 7), ("catch", 1)):
        assert weights[:, strata == name].sum(1) == pytest.approx(groups)


def test_weights_are_multiples_of_one_step():
    weights = group_weights(np.zeros(13), 100, seed=0) * 12 / 13
    assert weights == pytest.approx(np.round(weights))


def test_weights_repeat_for_the_same_seed_only():
    strata = np.repeat([0, 1], 10)
    assert np.array_equal(group_weights(strata, 50, 1), group_weights(strata, 50, 1))
    assert not np.array_equal(group_weights(strata, 50, 1), group_weights(strata, 50, 2))


def test_order_of_the_groups_is_kept():
    mixed = group_weights(np.array([1, 0, 1, 0, 1]), 500, 0)
    assert mixed[:, [1, 3]].sum(1) == pytest.approx(2)
    assert mixed[:, [0, 2, 4]].sum(1) == pytest.approx(3)


def test_the_first_row_is_what_was_observed():
    strata = np.repeat([0, 1], [4, 9])
    rows = bootstrap.weights(strata, 30, 5)
    assert np.array_equal(rows[0], np.ones(13))
    assert np.array_equal(rows[1:], group_weights(strata, 30, 5))


@pytest.mark.parametrize("groups", [2, 5, 13])
def test_variance_of_a_mean_is_unbiased(groups):
    x = np.random.default_rng(0).standard_normal(groups)
    means = group_weights(np.zeros(groups), 100_000, 1) @ x / groups
    assert means.mean() == pytest.approx(x.mean(), abs=0.01)
    assert means.var() == pytest.approx(x.var(ddof=1) / groups, rel=0.03)


@pytest.mark.parametrize(("strata", "replicates"), [([], 10), ([[0, 1]], 10), ([0, 1], 0)])
def test_weights_of_nothing(strata, replicates):
    with pytest.raises(ValueError):
        group_weights(strata, replicates, 0)


# ---------------------------------------------------------------------------------------- interval


@pytest.mark.parametrize("groups", [3, 8, 13, 50])
def test_interval_of_a_mean_is_students(groups):
    """Symmetric data, for which the two must agree."""
    x = ndtri((np.arange(groups) + 0.5) / groups)
    low, high = interval(x.mean(), group_weights(np.zeros(groups), 20_000, 1) @ x / groups, groups)
    half = t.ppf(0.975, groups - 1) * x.std(ddof=1) / np.sqrt(groups)
    assert low == pytest.approx(-half, rel=0.08)
    assert high == pytest.approx(half, rel=0.08)


def test_interval_is_wider_for_fewer_groups_and_higher_levels():
    replicates = np.random.default_rng(0).standard_normal(5000)
    widths = [np.subtract(*interval(0, replicates, n)[::-1]) for n in (100, 30, 13, 6)]
    assert (np.diff(widths) > 0).all()
    widths = [np.subtract(*interval(0, replicates, 13, p)[::-1]) for p in (0.5, 0.8, 0.95)]
    assert (np.diff(widths) > 0).all()


def test_the_smallest_stratum_counts():
    replicates = np.random.default_rng(0).standard_normal(2000)
    assert interval(0, replicates, [13, 40]) == interval(0, replicates, 13)


def test_metrics_side_by_side():
    replicates = np.random.default_rng(0).standard_normal((2000, 2, 3))
    low, high = interval(np.zeros((2, 3)), replicates, 13)
    assert low.shape == high.shape == (2, 3)
    assert (low[1, 2], high[1, 2]) == pytest.approx(interval(0, replicates[:, 1, 2], 13))


def test_bounds_are_quantiles_as_scipy_smooths_them():
    x = np.random.default_rng(1).exponential(size=1000)
    tail = ndtr(-t.ppf(0.975, 12))
    expected = stats.mstats.hdquantiles(x, [tail, 1 - tail])
    assert interval(1.0, x, 13) == pytest.approx(tuple(expected), rel=1e-6)


def test_smoothing_makes_a_bound_depend_less_on_the_draw():
    draws = np.random.default_rng(2).standard_normal((4000, 300))
    low, high = interval(np.zeros(300), draws, 13)
    half = t.ppf(0.975, 12)
    assert max(low.std(), high.std()) < 0.03 * half
    assert (low.mean(), high.mean()) == pytest.approx((-half, half), rel=0.02)


def test_a_gap_between_replicates_is_not_leapt_over():
    """As many lie beyond the gap as beyond the bound, a little more or less by the draw."""
    rng, groups = np.random.default_rng(4), 25
    tail = ndtr(-t.ppf(0.975, groups - 1))
    draws = rng.standard_normal((32_000, 100)) + 6.0 * (rng.random((32_000, 100)) < tail)
    high = interval(np.zeros(100), draws, groups)[1]
    plain = np.quantile(draws, 1 - tail, axis=0)
    assert 2 * high.std() < plain.std()
    errors = bootstrap.monte_carlo_error(draws, groups)[1]
    assert np.median(errors) == pytest.approx(high.std(), rel=0.3)


def test_censored_replicates_open_the_interval():
    finite = np.linspace(1, 2, 1000)
    some, many = finite.copy(), finite.copy()
    some[-3:] = INF
    many[-100:] = INF
    assert interval(1.5, some, 13)[1] < INF
    low, high = interval(1.5, many, 13)
    assert (1 < low < 1.1, high) == (True, INF)
    assert interval(-INF, np.full(1000, -INF), 13) == (-INF, -INF)
    assert interval(INF, np.full(1000, INF), 13) == (INF, INF)


def test_undefined_replicates_could_lie_anywhere():
    x = np.linspace(0, 1, 1000)
    few, many = x.copy(), x.copy()
    few[::200] = np.nan
    many[::20] = np.nan
    low, high = interval(0.5, few, 13)
    clean = interval(0.5, x, 13)
    assert 0 < low < clean[0]
    assert clean[1] < high < 1
    assert np.isnan(interval(0.5, many, 13)).all()
    assert np.isnan(interval(np.nan, np.full(1000, np.nan), 13)).all()


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_very_few_groups(groups):
    x = np.arange(float(groups))
    replicates = group_weights(np.zeros(groups), 4000, 0) @ x / groups
    low, high = interval(x.mean(), replicates, groups)
    half = t.ppf(0.975, groups - 1) * x.std(ddof=1) / np.sqrt(groups)
    assert (high - low) / 2 == pytest.approx(half, rel=0.05)
    assert interval(0.0, np.array([-INF, 1.0, 2.0]), groups) == (-INF, INF)
    assert np.isnan(interval(0.0, np.array([np.nan, 1.0, 2.0]), groups)).all()


def test_one_group_has_no_interval():
    assert np.isnan(interval(0.5, np.full(1000, 0.5), 1)).all()
    assert np.isnan(interval(0.5, np.full(1000, 0.5), [13, 1])).all()


def test_perfect_rates_get_the_exact_binomial_bound():
    point, replicates = np.array([0.0, 1.0, 0.5]), np.tile([0.0, 1.0, 0.5], (1000, 1))
    assert interval(point, replicates, 13) == (pytest.approx(point), pytest.approx(point))
    low, high = interval(point, replicates, 13, units=100)
    exact = binomtest(100, 100).proportion_ci(0.95, method="exact")
    assert low == pytest.approx([0, exact.low, 0.5])
    assert high == pytest.approx([1 - exact.low, 1, 0.5])


def test_a_perfect_rate_that_replicates_move_keeps_at_least_the_exact_bound():
    moved = np.r_[np.full(990, 1.0), np.full(10, 0.9)]
    low, high = interval(1.0, moved, 13, units=13)
    assert low == pytest.approx(binomtest(13, 13).proportion_ci(0.95, method="exact").low)
    assert high == 1


@pytest.mark.parametrize(
    ("point", "shape", "groups", "level"),
    [
        (0.0, (0,), 13, 0.95),
        (0.0, (10, 2), 13, 0.95),
        ([0.0, 0.0], (10,), 13, 0.95),
        (0.0, (10,), 0, 0.95),
        (0.0, (10,), 13, 1.0),
        (0.0, (10,), 13, 95),
    ],
)
def test_bad_input(point, shape, groups, level):
    with pytest.raises(ValueError):
        interval(point, np.zeros(shape), groups, level)


# ---------------------------------------------------------------------------------------- coverage


@pytest.mark.parametrize(("groups", "least"), [(6, 0.925), (13, 0.94), (50, 0.94)])
def test_coverage_of_a_mean(groups, least):
    """With normal tails instead of Student's, each of these fails but the last."""
    x = np.random.default_rng(11).standard_normal((groups, 5000))
    replicates = group_weights(np.zeros(groups), 1000, 0) @ x / groups
    low, high = interval(x.mean(0), replicates, groups)
    assert least < ((low <= 0) & (high >= 0)).mean() < 0.965


def test_coverage_of_a_threshold_over_thirteen_speakers():
    """A reduced `benchmarks/coverage.py`, which a plain percentile bootstrap fails."""
    snr, groups, trials = np.array([-5.0, 0, 5, 10, 20]), 13, np.full((13, 5), 32)
    sims = 50
    guess, location, width, spread = 0.05, 4.0, 12.0, 3.0
    # averaging over normal shifts of the location widens the curve, and leaves it Gaussian
    total = np.hypot(width, SPREAD * spread)
    truth = location + total / SPREAD * ndtri((0.75 - guess) / (1 - guess))
    rng, covered, plain = np.random.default_rng(5), 0, 0
    for seed in range(sims):
        shift = spread * rng.standard_normal((groups, 1))
        proportions = guess + (1 - guess) * ndtr(SPREAD * (snr - location - shift) / width)
        yes = rng.binomial(trials, proportions)
        weights = group_weights(np.zeros(groups), 300, seed)
        drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=300)
        both = np.concatenate([np.ones((1, groups)), weights, drawn])
        dt75 = fit(snr, both @ yes, both @ trials, guess=guess).extended_threshold(0.75)
        low, high = interval(dt75[0], dt75[1:301], groups)
        covered += bool(low <= truth <= high)
        naive = np.quantile(dt75[301:], [0.025, 0.975])
        plain += bool(naive[0] <= truth <= naive[1])
    assert binom.ppf(1e-3, sims, 0.94) <= covered <= binom.ppf(1 - 1e-3, sims, 0.97)
    assert plain < covered


@pytest.mark.parametrize("lowest", [-np.inf, -3.0])
def test_the_monte_carlo_error_is_what_bounds_vary_by(lowest):
    """Also of skewed replicates, whose two bounds vary by different amounts."""
    draws = np.random.default_rng(3).standard_normal((300, 2000))
    samples = np.maximum(np.exp(draws / 2), lowest)
    bounds = np.array([interval(1.0, row, 13) for row in samples])
    errors = np.median([bootstrap.monte_carlo_error(row, 13) for row in samples], axis=0)
    assert errors == pytest.approx(bounds.std(axis=0), rel=0.25)


def test_the_monte_carlo_error_of_bounds_that_are_no_replicates():
    samples = np.random.default_rng(3).standard_normal((1000, 2))
    assert (bootstrap.monte_carlo_error(samples, 3) == 0).all()
    samples[:, 1] = np.inf
    assert np.isnan(bootstrap.monte_carlo_error(samples, 13)[:, 1]).all()


def test_further_blocks_are_other_draws():
    first, again = (bootstrap.weights(np.zeros(9), 50, 1, block=block) for block in (0, 1))
    assert (first[0] == again[0]).all()
    assert not np.array_equal(first, again)
    assert np.array_equal(first[1:], group_weights(np.zeros(9), 50, 1))
