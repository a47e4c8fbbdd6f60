"""Metrics as functions of sums over trials, for the trials as they are and for each replicate.

Sums are by name, with one row for each replicate, the first that of the trials as they are.
"""

from typing import TypeAlias

import numpy as np
from scipy.special import ndtri

from speechdt.arrays import Floats

Sums: TypeAlias = dict[str, Floats]

LEAST_IN_BIN = 20
"""Clips that a bin needs to count in MCE: of fewer, the rate is mostly luck."""


def one_class_metrics(sums: Sums) -> Sums:
    """Return the shares of right answers, of all and of each class."""
    return {
        "accuracy": sums["correct"] / sums["n"],
        "speech_accuracy": sums["hit"] / sums["speech"],
        "nonspeech_accuracy": 1 - sums["false_alarm"] / sums["nonspeech"],
    }


def two_class_metrics(sums: Sums) -> Sums:
    """Return balanced accuracy, precision, recall and F1."""
    hit, false_alarm = sums["hit"], sums["false_alarm"]
    rejected, missed = sums["nonspeech"] - false_alarm, sums["speech"] - hit
    hit_rate, rejection_rate = hit / sums["speech"], rejected / sums["nonspeech"]
    half_hit = sums["half_hit"] / sums["speech"]
    half_rejection = 1 - sums["half_false_alarm"] / sums["nonspeech"]
    return {
        "balanced_accuracy": (hit_rate + rejection_rate) / 2,
        "balanced_accuracy_half": (half_hit + half_rejection) / 2,
        "speech_accuracy_half": half_hit,
        "nonspeech_accuracy_half": half_rejection,
        # A detector that never says a class has no precision for it; by custom it counts as 0.
        "precision_speech": _ratio_or_zero(hit, hit + false_alarm),
        "recall_speech": hit_rate,
        "f1_speech": 2 * hit / (2 * hit + false_alarm + missed),
        "precision_nonspeech": _ratio_or_zero(rejected, rejected + missed),
        "recall_nonspeech": rejection_rate,
        "f1_nonspeech": 2 * rejected / (2 * rejected + missed + false_alarm),
    }


def detection_theory(sums: Sums) -> Sums:
    """Return d' and criterion c (Green & Swets 1966), kept finite by half a trial (Hautus 1995)."""
    hit = ndtri((sums["hit"] + 0.5) / (sums["speech"] + 1))
    false_alarm = ndtri((sums["false_alarm"] + 0.5) / (sums["nonspeech"] + 1))
    return {"dprime": hit - false_alarm, "criterion": -(hit + false_alarm) / 2}


def calibration_metrics(sums: Sums, suffix: str) -> Sums:
    """Return ECE, MCE and Brier score of the scale that a suffix names."""
    gap = np.abs(sums[f"bin_p{suffix}"] - sums[f"bin_speech{suffix}"])
    count = sums[f"bin_n{suffix}"]
    filled = count[0] >= LEAST_IN_BIN  # row 0 holds the trials as they are
    largest = _ratio_or_zero(gap, count)[:, filled].max(axis=1, initial=-np.inf)
    return {
        f"ece{suffix}": gap.sum(axis=1) / sums["n"],
        f"mce{suffix}": largest if filled.any() else np.full(len(count), np.nan),
        f"brier{suffix}": sums[f"squared_error{suffix}"] / sums["n"],
    }


def confidence_metrics(sums: Sums) -> Sums:
    """Return the mean confidence, also where right and where wrong, and the gap between these."""
    when_correct = sums["confidence_correct"] / sums["correct"]
    wrong = sums["n"] - sums["correct"]
    when_wrong = (sums["confidence"] - sums["confidence_correct"]) / wrong
    return {
        "confidence": sums["confidence"] / sums["n"],
        "confidence_correct": when_correct,
        "confidence_wrong": when_wrong,
        "confidence_gap": when_correct - when_wrong,
    }


def _ratio_or_zero(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
