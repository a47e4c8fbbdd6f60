"""Comparison of a search's winner with its random control and the baseline, on test.

Thresholds and Platt scaling of each prompt come from dev, as those of any variant do.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.prompts.judge import resampled
from speechdt.statistics.bootstrap import interval
from speechdt.statistics.calibration import calibrate, logit
from speechdt.statistics.comparison import compare, holm_within
from speechdt.statistics.criterion import threshold_replicates
from speechdt.statistics.families import word

PROMPTS = ("baseline", "winner", "control")
CONTRASTS = (("winner", "control"), ("winner", "baseline"), ("control", "baseline"))
"""What is compared, first things first: does the search beat random search of the same cost?"""
DIFFERENCE = ("difference", "difference_low", "difference_high")


def compare_search(
    trials: pd.DataFrame, *, replicates: int, permutations: int, seed: int
) -> pd.DataFrame:
    """Compare the prompts of one search.

    Parameters
    ----------
    trials : DataFrame
        Trials in noise of dev and test: split, trial_id, label, group_id, and P(speech) by each of
        `PROMPTS`.
    replicates, permutations, seed : int
        See `comparison.compare`.

    Returns
    -------
    DataFrame
        A row for each of `CONTRASTS`: prompt, reference; difference (of balanced accuracy on test),
        difference_low, difference_high, p; difference_dev, and gap, by which dev promised more
        than test kept; log_loss_gain (on test, less is a gain), log_loss_gain_low,
        log_loss_gain_high, log_loss_gain_dev, log_loss_gap. Luck of the search itself is in no
        interval: another search with another seed would have found another prompt.
    """
    parts = {
        str(split): part.assign(speech=part["label"] == "SPEECH").reset_index(drop=True)
        for split, part in trials.groupby("split")
    }
    dev = parts["dev"]
    learned = {name: calibrate(dev[name], dev["speech"]) for name in PROMPTS}
    thresholds = {
        name: threshold_replicates(
            dev.assign(p_speech=dev[name]), rule="balanced", replicates=replicates, seed=seed
        )[None]
        for name in PROMPTS
    }
    accuracy, log_loss = {}, {}
    for split, part in parts.items():
        decided = {
            name: part.assign(decided=learned[name].decide(part[name]), p_speech=part[name])
            for name in PROMPTS
        }
        accuracy[split] = compare(
            decided,
            # Dev's own accuracies are of the threshold that was chosen on the same clips.
            thresholds if split == "test" else None,
            planned=CONTRASTS,
            replicates=replicates,
            permutations=permutations,
            seed=seed,
        ).head(len(CONTRASTS))
        calibrated = {name: learned[name].platt(part[name]) for name in PROMPTS}
        log_loss[split] = _log_loss_gains(part, calibrated, replicates, seed)
    table = accuracy["test"].rename(columns={"variant": "prompt"})
    table = table[["prompt", "reference", *DIFFERENCE, "p"]]
    table["difference_dev"] = accuracy["dev"]["difference"]
    table["gap"] = table["difference_dev"] - table["difference"]
    table = pd.concat([table, log_loss["test"]], axis=1)
    table["log_loss_gain_dev"] = log_loss["dev"]["log_loss_gain"]
    table["log_loss_gap"] = table["log_loss_gain_dev"] - table["log_loss_gain"]
    return table


def all_searches(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put the tables of all searches together, and say what may be said of each.

    p_holm holds the p-values, corrected for their number; verdict is gain or loss where it carries
    that, else "not shown" (`speechdt.statistics.families`).
    """
    table = pd.concat(list(tables), ignore_index=True)
    p = table["p"].to_numpy(dtype=float)
    table.insert(list(table).index("p") + 1, "p_holm", holm_within(p, np.full(len(p), True)))
    tested = zip(table["difference"], table["p_holm"], strict=True)
    return table.assign(verdict=[word("searches", difference, p) for difference, p in tested])


def _log_loss_gains(
    trials: pd.DataFrame, calibrated: Mapping[str, Floats], replicates: int, seed: int
) -> pd.DataFrame:
    """Return by how much the log-loss of each contrast's prompt is less than its reference's."""
    speech = trials["speech"].to_numpy(dtype=bool)
    odds = logit(np.array([calibrated[name] for name in PROMPTS]))
    likelihoods = speech * odds - np.logaddexp(0, odds)
    means, groups = resampled(likelihoods, speech, trials["group_id"], replicates, seed)
    places = [[PROMPTS.index(name) for name in pair] for pair in CONTRASTS]
    gains = np.stack([means[:, one] - means[:, other] for one, other in places], axis=1)
    low, high = interval(gains[0], gains[1:], groups)
    return pd.DataFrame(
        {"log_loss_gain": gains[0], "log_loss_gain_low": low, "log_loss_gain_high": high}
    )
