"""Observers whose hearing and criterion are known: scores, not only decisions.

NONSPEECH gives scores of a standard normal distribution. A SPEECH clip that is not heard does, too;
one that is heard scores far above. So the hit rate at 10 % false alarms is 0.1 + 0.9 F, F being how
often speech is heard, whatever the observer's own criterion.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

SPREAD = float(ndtri(0.95) - ndtri(0.05))
SNRS = (-20.0, -15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
EVIDENCE = 6.0
"""Score of what is heard, in standard deviations of NONSPEECH above its mean."""
COLORS = {"white": 0.2, "pink": -0.3, "brown": 7.4, "speech_shaped": 0.0, "recording": 1.5}
"""Backgrounds, and by how many dB the SNR in the speech band exceeds the nominal one."""


def simulate(
    location,
    *,
    width=12.0,
    criterion=1.0,
    groups=20,
    items=10,
    seed=0,
    shift=2.0,
    snrs=SNRS,
    durations=(200,),
    by_band=False,
    doubling=0.0,
):
    """Return trials of an observer, and its catch trials.

    Groups shift the location by `shift` dB, the same for every observer; `by_band`: it hears by the
    SNR in the speech band; `doubling`: dB that a doubled duration is worth, from 200 ms.
    """
    rng = np.random.default_rng(seed)
    shifts = np.random.default_rng(99).normal(0, shift, groups)
    rows = [
        (speech, item, snr, ms)
        for speech in (True, False)
        for item in range(groups * items)
        for snr in snrs
        for ms in durations
    ]
    trials = pd.DataFrame(rows, columns=["speech", "item", "snr_db", "duration_ms"])
    colors = list(COLORS)
    number = trials["item"].to_numpy()
    group = number % groups
    trials["background"] = [colors[(i // groups) % len(colors)] for i in number]
    trials["snr_speech_db"] = trials["snr_db"] + trials["background"].map(COLORS)
    trials["item_id"] = trials["speech"].map({True: "s", False: "n"}) + trials["item"].astype(str)
    # three times as many groups of NONSPEECH
    nonspeech = "n" + pd.Series(number % (3 * groups)).astype(str)
    trials["group_id"] = np.where(trials["speech"], "s" + pd.Series(group).astype(str), nonspeech)
    at = trials["snr_speech_db" if by_band else "snr_db"] - location - shifts[group]
    at = at + doubling * np.log2(trials["duration_ms"] / 200)
    audible = trials["speech"] & (rng.random(len(trials)) < ndtr(SPREAD * at / width))
    score = rng.normal(0, 1, len(trials)) + EVIDENCE * audible
    quiet = pd.DataFrame({"group_id": [f"c{place % 40}" for place in range(400)]})
    quiet = quiet.assign(duration_ms=np.resize(durations, 400), background=np.resize(colors, 400))
    return (_decided(trials, score, criterion), _decided(quiet, rng.normal(0, 1, 400), criterion))


def _decided(trials, score, criterion):
    decided = score >= criterion
    return trials.assign(p_speech=expit(score), decided=decided, decided_far10=decided)


def threshold(location, width=12.0, proportion=0.75, guess=0.1):
    """Return where an observer without group effects reaches a proportion."""
    return location + width / SPREAD * float(ndtri((proportion - guess) / (1 - guess)))
