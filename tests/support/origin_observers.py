"""Planted observers: one that hears speech, one that recognises where a recording comes from."""

import numpy as np
import pandas as pd


def planted(hearing, knowing, items=1200, seed=0):
    """Return trials of an observer that hears speech, knows origins, or both.

    Eight origins hold SPEECH alone, eight NONSPEECH alone, and eight both; by the sound of an
    origin that holds one class the class is known, by that of one that holds both nothing is.
    """
    rng = np.random.default_rng(seed)
    speech = np.arange(items) % 2 == 0
    kind = np.arange(items) // 2 % 2  # origin of one class, or of both
    number = rng.integers(0, 8, items)
    group = rng.integers(0, 4, items)
    label = np.where(speech, "s", "n")
    cue = np.where(kind == 0, np.where(speech, 1.0, -1.0), 0.0)
    # Each origin of both classes is taken for this or that, whatever the class of the trial.
    habit = rng.normal(size=8)[number] * (kind == 1)
    z = knowing * (cue + habit) + hearing * np.where(speech, 1, -1) + rng.normal(0, 1, items)
    origin = [f"both{n}" if k else f"{c}{n}" for k, c, n in zip(kind, label, number, strict=True)]
    return pd.DataFrame(
        {
            "speech": speech,
            "origin": origin,
            "group_id": [f"{o}/{c}{g}" for o, c, g in zip(origin, label, group, strict=True)],
            "p_speech": 1 / (1 + np.exp(-z)),
        }
    )
