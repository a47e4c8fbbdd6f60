"""Decision threshold and calibration of a detector's scores, learned on dev."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from speechdt.arrays import Floats
from speechdt.statistics.criterion import candidates, chosen

CLIP = 1e-6
"""Scores are kept this far from 0 and 1 before the logit."""
HIGHEST_TEMPERATURE = 100.0


class Calibration(NamedTuple):
    """A detector's calibration and threshold.

    Attributes
    ----------
    threshold : float
        Decide SPEECH where the raw p_speech is at least this; `NEVER` if always NONSPEECH, `HALF`
        if no threshold is better than always giving one answer.
    threshold_far10 : float
        The same with at most 10 % false alarms on dev.
    temperature : float
        Divides the logit (Guo et al. 2017).
    slope, intercept : float
        Platt scaling of the logit (Platt 1999).
    """

    threshold: float
    threshold_far10: float
    temperature: float
    slope: float
    intercept: float

    def decide(self, p_speech: ArrayLike) -> NDArray[np.bool_]:
        """Say SPEECH or not for raw scores, bool (clips,)."""
        return np.asarray(np.asarray(p_speech) >= self.threshold)

    def tempered(self, p_speech: ArrayLike) -> Floats:
        """Return P(speech) after temperature scaling, (clips,)."""
        return np.asarray(expit(logit(p_speech) / self.temperature))

    def platt(self, p_speech: ArrayLike) -> Floats:
        """Return P(speech) after Platt scaling, (clips,)."""
        return np.asarray(expit(self.slope * logit(p_speech) + self.intercept))

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``calibration/{variant}.json``."""
        return {
            "threshold": self.threshold,
            "threshold_far10": self.threshold_far10,
            "temperature": self.temperature,
            "platt": {"slope": self.slope, "intercept": self.intercept},
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Calibration":
        """Read :meth:`to_dict` back."""
        names = ("threshold", "threshold_far10", "temperature")
        return cls(**{name: content[name] for name in names}, **content["platt"])


def calibrate(p_speech: ArrayLike, speech: ArrayLike) -> Calibration:
    """Fit threshold, temperature and Platt scaling on dev.

    Parameters
    ----------
    p_speech : array_like, (clips,)
        Raw scores.
    speech : array_like of bool, (clips,)
        Whether each clip is SPEECH; both classes must occur.

    Raises
    ------
    ValueError
        If a class is missing.
    """
    p, y = np.asarray(p_speech, dtype=np.float64), np.asarray(speech, dtype=bool)
    if y.all() or not y.any():
        raise ValueError("calibration needs clips of both classes")
    codes, alike = y.astype(np.int64), np.ones((1, 2))
    balanced, far10 = (float(chosen(p, y, rule, codes, alike)[0]) for rule in ("balanced", "far10"))
    slope, intercept = fit_platt(p, y)
    return Calibration(
        threshold=balanced,
        threshold_far10=far10,
        temperature=fit_temperature(p, y),
        slope=slope,
        intercept=intercept,
    )


def balanced_accuracy(speech: ArrayLike, decided: ArrayLike) -> float:
    """Return the mean of the shares of right decisions in the two classes; both must occur."""
    y, decisions = np.asarray(speech, dtype=bool), np.asarray(decided, dtype=bool)
    return float((decisions[y].mean() + (~decisions[~y]).mean()) / 2)


def operating_points(p: Floats, speech: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """List every decision that a threshold can make.

    Parameters
    ----------
    p : float array, (clips,)
    speech : bool array, (clips,)

    Returns
    -------
    thresholds : float array, ascending
        0 (always SPEECH), half-way between neighbouring scores, and `NEVER`.
    hit, false_alarm : float arrays
        Rate of SPEECH decisions on SPEECH and on NONSPEECH clips at each threshold.
    """
    thresholds = candidates(p)
    rates = [
        1 - np.searchsorted(np.sort(p[of]), thresholds, side="left") / of.sum()
        for of in (speech, ~speech)
    ]
    return thresholds, rates[0], rates[1]


def fit_temperature(p: Floats, speech: NDArray[np.bool_]) -> float:
    """Return the temperature that minimises log-loss, in [0.01, 100]."""
    # Here, since whoever reads a calibration need not wait for it.
    from scipy.optimize import minimize_scalar

    x = logit(p)

    def loss(log_temperature: float) -> float:
        return _log_loss(x / np.exp(log_temperature), speech)

    limit = float(np.log(HIGHEST_TEMPERATURE))
    optimum = minimize_scalar(loss, bounds=(-limit, limit), method="bounded")
    return float(np.exp(optimum.x))


def fit_platt(p: Floats, speech: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope (never negative) and intercept of Platt scaling.

    A negative slope would turn a detector that is worse than chance around, which is no
    calibration. Targets are smoothed as by Platt (1999), so that separable scores stay finite.
    """
    from scipy.optimize import minimize

    x = logit(p)
    centre, spread = float(x.mean()), max(float(x.std()), 1e-9)
    z = (x - centre) / spread
    yes, no = speech.sum(), (~speech).sum()
    target = np.where(speech, (yes + 1) / (yes + 2), 1 / (no + 2))

    def loss(ab: Floats) -> tuple[float, Floats]:
        return _log_loss(ab[0] * z + ab[1], target), _gradient(ab, z, target)

    optimum = minimize(
        loss,
        x0=np.array([1.0, 0.0]),
        jac=True,
        bounds=[(0.0, None), (None, None)],
        method="L-BFGS-B",
    )
    slope = float(optimum.x[0]) / spread
    return slope, float(optimum.x[1]) - slope * centre


def logit(p: ArrayLike) -> Floats:
    """Return ln(p / (1 - p)) of scores kept `CLIP` away from 0 and 1."""
    clipped = np.clip(np.asarray(p, dtype=np.float64), CLIP, 1 - CLIP)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _log_loss(x: Floats, target: NDArray[Any]) -> float:
    return float(np.mean(np.logaddexp(0, x) - target * x))


def _gradient(ab: Floats, z: Floats, target: NDArray[Any]) -> Floats:
    error = expit(ab[0] * z + ab[1]) - target
    return np.array([np.mean(error * z), np.mean(error)])
