"""Logistic regression on log-mel statistics (L1): a trained baseline without a network.

Adapters learn in-domain and voice activity detectors do not, so a comparison of the two needs a
small detector that was trained on the same clips. Its other feature sets do not listen at all:
`level`, `bandwidth` and `spectrum` show how much the trials give away to a classifier that could
not tell a voice from a fan.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage

FRAME, HOP, BANDS = 512, 160, 40  # samples, samples, mel bands from 20 Hz to 8 kHz
LOWEST, HIGHEST = 20.0, SAMPLE_RATE / 2
FLOOR = 1e-10
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Inverse strengths of the penalty, of which dev chooses one."""
MODEL = "model.json"
TELLS = ("class", "origin")


@dataclass(frozen=True)
class FineTuning:
    """Settings of :meth:`LogMel.finetune`.

    Attributes
    ----------
    features : {"logmel", "spectrum", "level", "bandwidth"}
        Mean, spread and change of each band, the clip's level taken out; the mean alone; the
        level alone; the frequencies below which 50, 90 and 99 % of the energy lie.
    tells : {"class", "origin"}
        What the regression tells apart: speech from all else, or origins; of these, P(speech) is
        how often each is SPEECH in train, weighted by its probability.
    seed, checkpoints
        Not used: the fit is deterministic and takes seconds.
    """

    features: Literal["logmel", "spectrum", "level", "bandwidth"] = "logmel"
    tells: Literal["class", "origin"] = "class"
    seed: int = 0
    checkpoints: str | None = None

    def __post_init__(self) -> None:
        if self.features not in FEATURES:
            raise ValueError(f"features '{self.features}' is none of: {', '.join(FEATURES)}")
        if self.tells not in TELLS:
            raise ValueError(f"tells '{self.tells}' is none of: {', '.join(TELLS)}")


class LogMel:
    """P(speech) of a logistic regression.

    Parameters
    ----------
    adapter : str
        Folder from :meth:`finetune`.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE
    FineTuning = FineTuning

    def __init__(self, adapter: str):
        with stage("load"):
            model = json.loads((Path(adapter) / MODEL).read_text())
            self.features = FEATURES[model["features"]]
            self.weights = np.array(model["weights"])
            self.intercept = np.array(model["intercept"])
            self.shares = np.array(model["shares"])

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return np.array([self._score(clip) for clip in clips], dtype=np.float64)

    def _score(self, clip: np.ndarray) -> float:
        with stage("features"):
            x = self.features(clip)
        with stage("forward"):
            z = self.weights @ x + self.intercept
            share = np.exp(z - z.max())
            return float(share @ self.shares / share.sum())

    @classmethod
    def finetune(
        cls, train: Sequence[Path], dev: Sequence[Path], out: Path, **settings: Any
    ) -> None:
        """Fit on the cell files `train`, choose the penalty by log-loss on `dev`, write to `out`.

        Raises
        ------
        ValueError
            If a setting does not exist, or `train` lacks a class: the message is one line.
        """
        chosen = FineTuning(**settings)
        x, speech, origin = _examples(train, chosen.features)
        held, truth, _ = _examples(dev, chosen.features)
        if speech.all() or not speech.any():
            raise ValueError("logmel: train needs clips of both classes")
        labels = speech if chosen.tells == "class" else origin
        model, curve = fit(x, labels, speech, held, truth)
        out.mkdir(parents=True, exist_ok=True)
        settings = asdict(chosen) | {"checkpoints": None}
        (out / MODEL).write_text(json.dumps({"features": chosen.features, **model}) + "\n")
        (out / "curve.json").write_text(json.dumps(curve, indent=1) + "\n")
        (out / "README.md").write_text(_card(settings, len(x), curve))


def fit(
    x: np.ndarray, labels: np.ndarray, speech: np.ndarray, held: np.ndarray, truth: np.ndarray
) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Fit along a path of penalties; return the best on the held-out clips, and the path.

    Parameters
    ----------
    x, held : float array, (clips, features)
    labels : array, (clips,)
        Classes to be learned: `speech` itself, or the origin of each clip.
    speech, truth : bool array, (clips,)

    Returns
    -------
    model : dict
        weights (classes, features) and intercept, on features as they are; shares of SPEECH,
        (classes,).
    curve : list of dict
        step (1 and up, weaker penalties later), loss (on train), eval_log_loss and
        eval_balanced_accuracy (on the held-out clips, at 0.5).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score, log_loss

    centre, scale = x.mean(0), np.maximum(x.std(0), 1e-9)
    shares = np.array([speech[labels == one].mean() for one in np.unique(labels)])
    models, curve = [], []
    for step, penalty in enumerate(PENALTIES, start=1):
        model = LogisticRegression(C=penalty, max_iter=2000)
        model.fit((x - centre) / scale, labels)
        own, p = (model.predict_proba((of - centre) / scale) @ shares for of in (x, held))
        models.append(model)
        curve.append(
            {
                "step": step,
                "penalty": 1 / penalty,
                "loss": log_loss(speech, own),
                "eval_log_loss": log_loss(truth, p, labels=[False, True]),
                "eval_balanced_accuracy": float(balanced_accuracy_score(truth, p >= 0.5)),
            }
        )
    best = models[int(np.argmin([entry["eval_log_loss"] for entry in curve]))]
    coefficients, intercept = best.coef_ / scale, best.intercept_
    if len(shares) == 2:  # of two, the stock regression gives the log-odds of the second
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        intercept = np.array([0.0, intercept[0]])
    return {
        "weights": coefficients.tolist(),
        "intercept": (intercept - coefficients @ centre).tolist(),
        "shares": shares.tolist(),
    }, curve


def _examples(cells: Sequence[Path], features: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, whether it is SPEECH, and the origin of each clip."""
    from speechdt.audio.io import from_flac_bytes
    from speechdt.trials.cells import read_cell

    rows, speech, origins = [], [], []
    for cell in cells:
        trials = read_cell(cell, ["label", "origin", "audio"])
        rows += [FEATURES[features](from_flac_bytes(clip)) for clip in trials["audio"]]
        speech += (trials["label"] == "SPEECH").tolist()
        origins += trials["origin"].fillna("").tolist()
    return np.array(rows), np.array(speech), np.array(origins)


def log_mel(clip: np.ndarray) -> np.ndarray:
    """Return log energies in mel bands, float64 (frames, bands); no clip is padded."""
    x = np.asarray(clip, dtype=np.float64)
    if len(x) < FRAME:
        raise ValueError(f"clip of {len(x)} samples is shorter than a frame ({FRAME})")
    frames = np.lib.stride_tricks.sliding_window_view(x, FRAME)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    return np.log(power @ mel_filters() + FLOOR)


@lru_cache(maxsize=1)
def mel_filters() -> np.ndarray:
    """Return triangular filters, evenly spaced in mel (O'Shaughnessy 1987), (bins, bands)."""

    def mel(hz: np.ndarray) -> np.ndarray:
        return 2595 * np.log10(1 + hz / 700)

    edges = np.linspace(mel(np.array(LOWEST)), mel(np.array(HIGHEST)), BANDS + 2)
    bins = mel(np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE))[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rise, fall), 0)


def _statistics(clip: np.ndarray) -> np.ndarray:
    bands = log_mel(clip)
    bands = bands - bands.mean()
    change = np.abs(np.diff(bands, axis=0)).mean(0) if len(bands) > 1 else np.zeros(BANDS)
    return np.concatenate([bands.mean(0), bands.std(0), change])


def _spectrum(clip: np.ndarray) -> np.ndarray:
    bands = log_mel(clip).mean(0)
    return bands - bands.mean()


def _level(clip: np.ndarray) -> np.ndarray:
    rms = np.sqrt(np.mean(np.square(clip, dtype=np.float64)))
    return np.array([20 * np.log10(rms + FLOOR)])


def _bandwidth(clip: np.ndarray) -> np.ndarray:
    power = np.abs(np.fft.rfft(np.asarray(clip, dtype=np.float64))) ** 2
    share = np.cumsum(power) / max(power.sum(), FLOOR)
    hz = np.fft.rfftfreq(len(clip), 1 / SAMPLE_RATE)
    last = len(hz) - 1
    return np.array([hz[min(np.searchsorted(share, part), last)] for part in (0.5, 0.9, 0.99)])


FEATURES = {
    "logmel": _statistics,
    "spectrum": _spectrum,
    "level": _level,
    "bandwidth": _bandwidth,
}


def _card(settings: dict[str, Any], clips: int, curve: list[dict[str, float]]) -> str:
    best = min(curve, key=lambda entry: entry["eval_log_loss"])
    return (
        f"# Speech or no speech: logistic regression on {settings['features']}\n\n"
        f"Trained on {clips} clips of train; the penalty was chosen by log-loss on dev: "
        f"{best['eval_log_loss']:.3f}, balanced accuracy {best['eval_balanced_accuracy']:.3f} at "
        "0.5. `model.json` holds the weights.\n"
    )


@hookimpl
def detectors():
    """Offer the detector ``logmel``."""
    return {"logmel": LogMel}
