"""Decisions of simulated detectors on the same trials, as `decisions.decided_trials` gives them."""

import numpy as np
import pandas as pd

SNRS, DURATIONS = (-5.0, 10.0), (200, 500)
GROUPS, ITEMS = 12, 48
CATEGORIES = ("music", "animals", "noise")
VARIANTS = ("A1", "D1", "D2")


def made_trials():
    rows = []
    for label in ("SPEECH", "NONSPEECH"):
        for item in range(ITEMS):
            group = item % GROUPS
            category = "speech" if label == "SPEECH" else CATEGORIES[group % len(CATEGORIES)]
            for snr in SNRS:
                for duration in DURATIONS:
                    rows.append(
                        {
                            "trial_id": f"{label}-{item:02d}-snr{snr:g}_dur{duration}",
                            "item_id": f"{label}-{item:02d}",
                            "label": label,
                            "category": category,
                            "snr_db": snr,
                            "duration_ms": duration,
                            "source_id": f"{label}-{item % 24:02d}",
                            "group_id": f"{category}-{group}",
                            "background": ("white", "pink")[item % 2],
                            "background_id": "",
                            "background_group": "",
                        }
                    )
    return pd.DataFrame(rows)


def made_decided(seed=5):
    """Return decisions by variant: a part of the difficulty of a trial is the same for all."""
    trials = made_trials()
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=len(trials))
    speech = (trials["label"] == "SPEECH").to_numpy()
    decided = {}
    for variant in VARIANTS:
        evidence = np.where(speech, 1, -1) + shared + rng.normal(size=len(trials))
        p = 1 / (1 + np.exp(-evidence))
        decided[variant] = trials.assign(
            speech=speech, p_speech=p, p_temperature=p, p_platt=p, decided=p >= 0.5
        )
    return decided


def made_sources():
    trials = made_trials()
    sources = trials[["source_id", "label"]].drop_duplicates()
    language = np.where(sources["label"] == "SPEECH", "de", "")
    return sources.assign(language=language)
