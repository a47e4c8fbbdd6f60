"""A planted surface is found again; the maximum is that of a stock optimiser."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from speechdt.psychometrics.surface import (
    HIGHEST_LAPSE,
    _log_posterior,
    doublings,
    fit_surface,
    surface,
)

SNRS, DURATIONS = np.array([-5.0, 0, 5, 10, 20]), np.array([200.0, 300, 500, 1000])
CELLS = np.array([(snr, ms) for snr in SNRS for ms in DURATIONS])
GUESS, LAPSE, A, B, C = 0.08, 0.03, 0.5, 0.2, 0.6  # 3 dB for each doubling


def rate(snr, ms):
    return GUESS + (1 - GUESS - LAPSE) * ndtr(A + B * snr + C * doublings(ms))


def test_without_noise_the_surface_is_the_planted_one():
    n = np.full((1, len(CELLS)), 1e5)
    fitted = fit_surface(*CELLS.T, n * rate(*CELLS.T), n, [GUESS])
    assert fitted.lapse[0] == pytest.approx(LAPSE, abs=1e-3)
    assert (fitted.intercept[0], fitted.per_db[0], fitted.per_doubling[0]) == pytest.approx(
        (A, B, C), abs=5e-3
    )
    assert fitted.db_per_doubling[0] == pytest.approx(3, abs=0.05)
    truth = (ndtri((0.75 - GUESS) / (1 - GUESS - LAPSE)) - A - C * doublings(300)) / B
    assert fitted.snr_at([300])[0, 0] == pytest.approx(truth, abs=0.05)
    assert fitted.predict(5.0, 300.0)[0] == pytest.approx(rate(5.0, 300.0), abs=1e-3)


def test_no_stock_optimiser_finds_a_higher_maximum():
    rng = np.random.default_rng(1)
    n = np.full((8, len(CELLS)), 40.0)
    k = rng.binomial(40, rate(*CELLS.T), n.shape).astype(float)
    guess = np.full(8, GUESS)
    fitted = fit_surface(*CELLS.T, k, n, guess)
    centred = np.column_stack([CELLS[:, 0], doublings(CELLS[:, 1])])
    centre, scale = centred.mean(0), np.ptp(centred, axis=0) / 2
    design = np.column_stack([np.ones(len(CELLS)), (centred - centre) / scale])
    b, c = fitted.per_db * scale[0], fitted.per_doubling * scale[1]
    a = fitted.intercept + fitted.per_db * centre[0] + fitted.per_doubling * centre[1]
    share = fitted.lapse / HIGHEST_LAPSE
    theta = np.column_stack([a, b, c, np.log(share / (1 - share))])
    reached = _log_posterior(theta, design, k, n, guess)
    for row in range(8):

        def loss(x, row=row):
            one = slice(row, row + 1)
            return -_log_posterior(x[None], design, k[one], n[one], guess[one])[0]

        best = min(
            minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000}).fun
            for start in (np.array([0.5, 2.0, 0.5, -2.0]), theta[row])
        )
        assert reached[row] >= -best - 1e-4


def simulate(observer, groups=20, items=3, seed=0):
    rng = np.random.default_rng(seed)
    rows = [(f"g{g}", *cell) for g in range(groups) for cell in CELLS for _ in range(items)]
    trials = pd.DataFrame(rows, columns=["group_id", "snr_db", "duration_ms"])
    p = observer(trials["snr_db"], trials["duration_ms"])
    trials = trials.assign(speech=True, decided=rng.random(len(rows)) < p)
    quiet = pd.DataFrame({"group_id": [f"n{i % 20}" for i in range(400)]})
    return trials, quiet.assign(decided=rng.random(400) < min(p.min(), GUESS))


def test_intervals_hold_the_truth_at_every_duration():
    parameters, contour = surface(*simulate(rate), replicates=400, seed=2)
    row = parameters.iloc[0]
    assert row["db_per_doubling_low"] < 3 < row["db_per_doubling_high"]
    tested = contour[contour["tested"]]
    assert tested["duration_ms"].tolist() == DURATIONS.tolist()
    z = ndtri((0.75 - GUESS) / (1 - GUESS - LAPSE))
    truth = (z - A - C * doublings(tested["duration_ms"])) / B
    assert ((tested["snr_low"] < truth) & (truth < tested["snr_high"])).all()
    assert (contour["snr_db"].diff().dropna() < 0).all()


@pytest.mark.parametrize(("level", "censored"), [(0.0, ">"), (1.0, "<")])
def test_detectors_that_never_change_their_mind(level, censored):
    trials, quiet = simulate(lambda snr, ms: np.full(len(snr), level))
    _, contour = surface(trials, quiet.assign(decided=False), replicates=100, seed=1)
    assert (contour["snr_censored"] == censored).all()
    assert contour["snr_db"].isna().all()


def test_a_surface_that_is_flat_along_snr():
    """Always SPEECH below 400 ms, and never above: no SNR is a threshold, and none is worth one."""
    n = np.full((1, len(CELLS)), 1000.0)
    fitted = fit_surface(*CELLS.T, n * (CELLS[:, 1] < 400), n, [0.1])
    assert np.isnan(fitted.db_per_doubling).all()
    assert fitted.snr_at([200, 300, 500, 1000])[0].tolist() == [-np.inf, -np.inf, np.inf, np.inf]
    never = fit_surface(*CELLS.T, 0 * n, n, [0.0])
    assert np.isnan(never.db_per_doubling).all()
    assert (never.snr_at(DURATIONS) == np.inf).all()


def test_one_duration_has_no_surface():
    trials, quiet = simulate(rate)
    one = trials[trials["duration_ms"] == 200]
    assert all(table.empty for table in surface(one, quiet, replicates=100, seed=1))


@pytest.mark.parametrize(
    ("sims", "replicates"), [(12, 100), pytest.param(60, 300, marks=pytest.mark.campaign)]
)
def test_what_training_owes_to_chance_is_in_the_interval(sims, replicates):
    """Five runs that differ by 2 dB; without their spread the truth is missed far too often."""
    spread, at = 2.0, 300.0
    z = ndtri((0.75 - GUESS) / (1 - GUESS - LAPSE))
    # the mean over normal shifts of the location is a surface of the same kind, less steep
    truth = (z * np.hypot(1, B * spread) - A - C * doublings(at)) / B
    rng, covered = np.random.default_rng(3), np.zeros(2)
    for seed in range(sims):
        runs = [
            simulate(lambda snr, ms, shift=shift: rate(snr - shift, ms), seed=[seed, place])
            for place, shift in enumerate(rng.normal(0, spread, 5))
        ]
        many = [
            pd.concat([run[part].assign(run=place) for place, run in enumerate(runs)])
            for part in (0, 1)
        ]
        means = [of["decided"].astype(float).groupby(level=0).mean() for of in many]
        once = [run.assign(decided=mean) for run, mean in zip(runs[0], means, strict=True)]
        for place, of in enumerate((many, once)):
            _, contour = surface(*of, replicates=replicates, seed=seed)
            row = contour[contour["duration_ms"] == at].iloc[0]
            covered[place] += row["snr_low"] <= truth <= row["snr_high"]
    assert binom.ppf(1e-3, sims, 0.9) <= covered[0]
    assert covered[1] < binom.ppf(1e-3, sims, 0.9)


def test_runs_that_are_all_alike_are_as_good_as_one():
    trials, quiet = simulate(rate)
    many = [pd.concat([of.assign(run=run) for run in range(3)]) for of in (trials, quiet)]
    for one, three in zip(
        surface(trials, quiet, replicates=200, seed=1),
        surface(*many, replicates=200, seed=1),
        strict=True,
    ):
        pd.testing.assert_frame_equal(one, three, rtol=1e-6)
