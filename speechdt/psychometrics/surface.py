"""Psychometric surface over SNR and duration, and its trade of one for the other.

P("SPEECH" | SPEECH clip) = guess + (1 - guess - lapse) Phi(a + b x + c log2(t / 1 s)), x the SNR in
dB and t the duration. There is one of SPEECH decisions and one of hits at 10 % false alarms (kind
roc10), whose criterion pools the SNRs of a duration (`speechdt.psychometrics.thresholds` has these
kinds); the guess rate is that of the catch trials, at the same criterion. Where the surface reaches
75 % is a straight line over log duration; its slope, -c / b, says by how many dB the threshold
moves when the duration is doubled.

Fitted by maximum a posteriori: the lapse rate has the prior of the curves, Beta(1, 10), and is at
most 1 - guess; a, b and c have wide normal priors on the scale of the tested range, so that a
detector which never changes its mind has a surface too. A whole batch of bootstrap replicates is
fitted at once, by Fisher scoring.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr, ndtri

from speechdt.arrays import Floats
from speechdt.psychometrics.decided import Draws, draws_of_runs
from speechdt.psychometrics.guess_rate import catch_rate
from speechdt.psychometrics.matched_hits import catch_rates, coded, matched_hits
from speechdt.psychometrics.rates import DECISIONS, decided
from speechdt.statistics import bootstrap
from speechdt.statistics.criterion import Thresholds
from speechdt.statistics.metrics import by_run

PROPORTION = 0.75
PRIOR_SD = 5.0
"""Of a, b, c in units of probit over half the tested range: from never to always several times."""
LAPSE_PRIOR = 9.0  # Beta(1, 10) has log density 9 log(1 - x) + constant
HIGHEST_LAPSE = 0.5
STEPS = 60
MOST_REPLICATES = 1000
"""Of a bound, their Monte-Carlo error is 5 % of half the interval."""
TOLERANCE = 1e-7
CONTOUR_POINTS = 41
LEAST_PER_DB = 1e-3
"""Slope along SNR, in standard deviations a dB, below which a surface is flat: over 25 dB, a rate
would change by one point at most."""


class Surface(NamedTuple):
    """Fitted surfaces.

    Attributes
    ----------
    guess, lapse, intercept, per_db, per_doubling : (R,) arrays
        The latter three are a, b and c of the module's formula.
    """

    guess: Floats
    lapse: Floats
    intercept: Floats
    per_db: Floats
    per_doubling: Floats

    def predict(self, snr_db: ArrayLike, duration_ms: ArrayLike) -> Floats:
        """Return the rate of SPEECH decisions at each level, (R,) + their shape."""
        x, t = np.broadcast_arrays(np.asarray(snr_db, float), doublings(duration_ms))
        extra = (..., *(None,) * x.ndim)
        guess, lapse, a, b, c = (np.asarray(part)[extra] for part in self)
        psi: Floats = guess + (1 - guess - lapse) * ndtr(a + b * x + c * t)
        return psi

    def snr_at(self, duration_ms: ArrayLike, proportion: float = PROPORTION) -> Floats:
        """Return the SNR in dB at which each surface reaches a proportion, (R, durations).

        It is -inf where guessing alone gives the proportion, inf where no SNR does. Of a surface
        that is flat along SNR it is one or the other, by its rate at that duration.
        """
        t = doublings(duration_ms)
        guess, lapse, a, b, c = (part[:, None] for part in self)
        with np.errstate(divide="ignore", invalid="ignore"):
            reached = (proportion - guess) / (1 - guess - lapse)
            needed = ndtri(np.clip(reached, 0, 1)) - a - c * t
            level = needed / b
        level = np.where(b < LEAST_PER_DB, np.where(needed <= 0, -np.inf, np.inf), level)
        level = np.where(reached >= 1, np.inf, level)
        return np.where(reached <= 0, -np.inf, level)

    @property
    def db_per_doubling(self) -> Floats:
        """Fall of the threshold, in dB, when the duration doubles; NaN if SNR does not help."""
        with np.errstate(divide="ignore", invalid="ignore"):
            trade = self.per_doubling / self.per_db
        return np.where(self.per_db < LEAST_PER_DB, np.nan, trade)


def doublings(duration_ms: ArrayLike) -> Floats:
    """Return log2 of the duration over 1 s."""
    return np.log2(np.asarray(duration_ms, float) / 1000)


def fit_surface(
    snr_db: ArrayLike,
    duration_ms: ArrayLike,
    successes: ArrayLike,
    trials: ArrayLike,
    guess: ArrayLike,
) -> Surface:
    """Fit surfaces to counts in cells.

    Parameters
    ----------
    snr_db, duration_ms : (C,) arrays
        Levels of each cell.
    successes, trials : (R, C) arrays
        Counts; they may be weighted sums.
    guess : (R,) array
        Fixed guess rates.
    """
    snr, span = np.asarray(snr_db, float), doublings(duration_ms)
    k, n = np.asarray(successes, float), np.asarray(trials, float)
    guess = np.asarray(guess, float)
    centre = np.array([snr.mean(), span.mean()])
    scale = np.array([np.ptp(snr), np.ptp(span)]) / 2
    scale = np.where(scale > 0, scale, 1.0)
    columns = (np.stack([snr, span], axis=1) - centre) / scale
    design = np.column_stack([np.ones(len(snr)), columns])  # (C, 3)
    theta = np.tile([0.0, 1.0, 0.3, -3.0], (len(k), 1))  # the last one: logit of lapse / HIGHEST
    value = _log_posterior(theta, design, k, n, guess)
    damping = np.full(len(k), 1e-2)
    for _ in range(STEPS):
        gradient, information = _scores(theta, design, k, n, guess)
        lifted = information + damping[:, None, None] * np.eye(4) * (
            np.abs(np.diagonal(information, axis1=1, axis2=2))[:, None, :] + 1e-6
        )
        step = np.linalg.solve(lifted, gradient[..., None])[..., 0]
        trial = theta + np.clip(step, -2, 2)
        reached = _log_posterior(trial, design, k, n, guess)
        better = reached >= value
        gain = np.where(better, reached - value, np.inf)
        theta = np.where(better[:, None], trial, theta)
        value = np.where(better, reached, value)
        damping = np.where(better, damping / 5, damping * 10)
        if (gain < TOLERANCE).all():
            break
    a, b, c, lapse = theta.T
    b, c = b / scale[0], c / scale[1]
    a = a - b * centre[0] - c * centre[1]
    return Surface(guess, highest_lapse(guess) * expit(lapse), a, b, c)


def highest_lapse(guess: Floats) -> Floats:
    """Return the highest lapse rate that leaves a surface no way to fall."""
    return np.minimum(HIGHEST_LAPSE, 1 - guess)


def _parts(theta: Floats, design: Floats, guess: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    lapse = highest_lapse(guess)[:, None] * expit(theta[:, 3:])
    z = np.clip(theta[:, :3] @ design.T, -8, 8)
    rise = np.maximum(1 - guess[:, None] - lapse, 1e-6)
    psi = np.clip(guess[:, None] + rise * ndtr(z), 1e-9, 1 - 1e-9)
    return lapse, z, rise, psi


def _log_posterior(theta: Floats, design: Floats, k: Floats, n: Floats, guess: Floats) -> Floats:
    lapse, _, _, psi = _parts(theta, design, guess)
    fit: Floats = (k * np.log(psi) + (n - k) * np.log1p(-psi)).sum(1)
    # the transformed lapse rate gets its Jacobian's prior too weak to matter, so that it has a mode
    prior = LAPSE_PRIOR * np.log1p(-lapse[:, 0]) - (theta[:, 3] / 8) ** 2 / 2
    posterior: Floats = fit + prior - (theta[:, :3] ** 2).sum(1) / (2 * PRIOR_SD**2)
    return posterior


def _scores(
    theta: Floats, design: Floats, k: Floats, n: Floats, guess: Floats
) -> tuple[Floats, Floats]:
    """Return gradient (R, 4) and expected information (R, 4, 4) of the log posterior."""
    lapse, z, rise, psi = _parts(theta, design, guess)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    by_lapse = lapse * expit(-theta[:, 3:])
    jacobian = np.concatenate(
        [(rise * density)[..., None] * design, (-ndtr(z) * by_lapse)[..., None]], axis=2
    )
    residual = (k - n * psi) / (psi * (1 - psi))
    gradient = np.einsum("rc,rcp->rp", residual, jacobian)
    weight = n / (psi * (1 - psi))
    information = np.einsum("rc,rcp,rcq->rpq", weight, jacobian, jacobian)
    gradient[:, :3] -= theta[:, :3] / PRIOR_SD**2
    gradient[:, 3] -= LAPSE_PRIOR * by_lapse[:, 0] / (1 - lapse[:, 0]) + theta[:, 3] / 64
    information += np.diag([*[1 / PRIOR_SD**2] * 3, 1 / 64])
    return gradient, information


def surface(
    trials: pd.DataFrame,
    catch: pd.DataFrame,
    *,
    replicates: int,
    seed: int,
    criteria: Thresholds | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit the surfaces of a variant, with intervals over groups.

    Parameters
    ----------
    trials, catch : DataFrame
        As for `thresholds.thresholds`, runs included.
    replicates, seed : int
    criteria : Thresholds, optional
        As there.

    Returns
    -------
    parameters : DataFrame
        One row for each kind (detection; roc10, if NONSPEECH trials enough stand behind each
        criterion): kind, db_per_doubling (dB by which the 75 % threshold falls when the duration
        doubles), db_per_doubling_low, _high, guess, lapse, intercept, per_db, per_doubling. No row
        with fewer than two SNRs or durations.
    contour : DataFrame
        kind, duration_ms, tested (whether trials had this duration), snr_db (NaN if censored),
        snr_low, snr_high (infinite beyond the tested range), snr_censored (``<``, ``>``,
        ``undefined`` where the guess rate is that high already, or empty).
    """
    trials = trials.reset_index(drop=True)
    speech = trials[trials["speech"]]
    snrs, durations = (np.sort(speech[name].unique()) for name in ("snr_db", "duration_ms"))
    if min(len(snrs), len(durations)) < 2:
        return pd.DataFrame(columns=PARAMETERS), pd.DataFrame(columns=CONTOUR)
    cells = speech.groupby(["snr_db", "duration_ms"]).ngroup()
    levels = (
        speech[["snr_db", "duration_ms"]].drop_duplicates().sort_values(["snr_db", "duration_ms"])
    )
    placed = trials.assign(place=0, stratum=np.searchsorted(durations, trials["duration_ms"]))
    placed.loc[cells.index, "place"] = cells
    every = draws_of_runs(replicates, seed, criteria, len(by_run(trials)))
    draws = [own.at_most(MOST_REPLICATES) for own in every]
    groups = coded(speech)[1]
    parameters, contours = [], []
    for kind, counts in _counts(placed, catch, len(levels), draws).items():
        fitted = fit_surface(levels["snr_db"], levels["duration_ms"], *counts)
        parameters.append(_parameters(fitted, groups).assign(kind=kind))
        contours.append(_contour(fitted, snrs, durations, groups).assign(kind=kind))
    return pd.concat(parameters)[PARAMETERS], pd.concat(contours, ignore_index=True)[CONTOUR]


def _counts(
    trials: pd.DataFrame, catch: pd.DataFrame, cells: int, draws: Sequence[Draws]
) -> dict[str, tuple[Floats, Floats, Floats]]:
    """Return successes, trials and guess rate of each kind, the runs taken together."""
    seed = draws[0].seed
    of_detection, of_roc10, trusted = [], [], not trials["speech"].all()
    for run, silence, own in zip(by_run(trials), by_run(catch), draws, strict=True):
        decisions = decided(run[run["speech"]], cells, DECISIONS["detection"], own)
        guess = catch_rate(silence, DECISIONS["detection"], own)
        of_detection.append((decisions.hits, decisions.speech, guess))
        if trusted:
            weights = [
                own.of_groups(coded(run[run["speech"] == of])[1], number)
                for number, of in enumerate((True, False))
            ]
            rate, enough = matched_hits(run, cells, *weights)
            of_catch = own.of_groups(coded(silence)[1], 2)
            of_duration = dict(zip(run["duration_ms"], run["stratum"], strict=True))
            placed = silence.assign(stratum=silence["duration_ms"].map(of_duration))
            floor = catch_rates(run, placed, weights[1], of_catch)
            of_roc10.append((np.nan_to_num(rate) * decisions.speech, floor))
            trusted = trusted and enough
    yes, asked, guess = (
        bootstrap.over_runs(part, seed) for part in zip(*of_detection, strict=True)
    )
    counts = {"detection": (yes, asked, guess)}
    if trusted:
        hits, floor = (bootstrap.over_runs(part, seed) for part in zip(*of_roc10, strict=True))
        counts = {"roc10": (hits, asked, floor)} | counts
    return counts


PARAMETERS = [
    "kind",
    "db_per_doubling",
    "db_per_doubling_low",
    "db_per_doubling_high",
    *Surface._fields,
]
CONTOUR = ["kind", "duration_ms", "tested", "snr_db", "snr_censored", "snr_low", "snr_high"]


def _parameters(fitted: Surface, groups: int) -> pd.DataFrame:
    trade = fitted.db_per_doubling
    low, high = bootstrap.interval(trade[0], trade[1:], groups)
    own = [float(part[0]) for part in fitted]
    exists = fitted.guess[0] < PROPORTION
    trading = [trade[0], float(low), float(high)] if exists else [np.nan] * 3
    return pd.DataFrame([[*trading, *own]], columns=PARAMETERS[1:])


def _contour(fitted: Surface, snrs: Floats, durations: Floats, groups: int) -> pd.DataFrame:
    along = np.geomspace(durations[0], durations[-1], CONTOUR_POINTS)
    along = np.unique(np.concatenate([along[1:-1], durations.astype(float)]))
    levels = fitted.snr_at(along)
    levels = np.where(levels < snrs[0], -np.inf, np.where(levels > snrs[-1], np.inf, levels))
    low, high = bootstrap.interval(levels[0], levels[1:], groups)
    if fitted.guess[0] >= PROPORTION:
        low = high = np.full(len(along), np.nan)
        censored = np.full(len(along), "undefined")
    else:
        ends = [levels[0] == -np.inf, levels[0] == np.inf]
        censored = np.select(ends, ["<", ">"], default="")
    return pd.DataFrame(
        {
            "duration_ms": along,
            "tested": np.isin(along, durations),
            "snr_db": np.where(censored == "", levels[0], np.nan),
            "snr_censored": censored,
            "snr_low": low,
            "snr_high": high,
        }
    )
