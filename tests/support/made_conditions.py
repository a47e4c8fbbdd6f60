"""Conditions of simulated detectors, measured by the library itself."""

from functools import cache

import numpy as np
import pandas as pd

from speechdt.psychometrics.conditions import measured_conditions, table

CONDITIONS = {
    "neutral": ("neutral", "", 0.0),
    "background_pink": ("background", "pink", -4.0),
    "background_recording": ("background", "recording", 1.0),
    "room_0.3": ("room", "0.3", 3.0),
    "room_2.5": ("room", "2.5", 40.0),  # beyond the tested SNRs
    "channel_g711": ("channel", "g711", 0.5),
    "level_-60": ("level", "-60", 5.0),
}
"""Axis, value, and by how many dB the observer's threshold is raised."""
LADDER = (-20, -10, 0, 10, 20)
GAINS = (0.4, 0.0, 0.25)
"""Of hearing; who has none has no threshold."""


def conditions(variants):
    """Return the table of conditions of some variants."""
    parts = []
    for place, variant in enumerate(variants):
        part = _measured(place % len(GAINS)).assign(variant=variant)
        parts.append(part[["variant", *part.columns.drop("variant")]])
    return pd.concat(parts, ignore_index=True)


@cache
def _measured(place):
    rng = np.random.default_rng(place)
    rows = []
    for key, (_, _, raised) in CONDITIONS.items():
        for speech in (True, False):
            for item in range(40):
                for snr in LADDER:
                    evidence = GAINS[place] * max(snr - raised + 8, 0) if speech else 0.0
                    p = 1 / (1 + np.exp(-(evidence + rng.normal())))
                    rows.append((key, speech, f"{speech}{item}", snr, p))
    columns = ["condition", "speech", "group_id", "snr_db", "p_speech"]
    trials = pd.DataFrame(rows, columns=columns)
    measured = measured_conditions(trials, [np.full(41, 0.7)], replicates=40, seed=1)
    made = table(measured, "neutral")
    for name, number in (("at", 1), ("axis", 0)):
        made.insert(0, name, [CONDITIONS[key][number] for key in made["condition"]])
    return made.assign(duration_ms=500)
