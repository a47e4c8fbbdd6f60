"""False alarms on foils: how often a detector says SPEECH to laughing, singing and the like."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap, limits
from speechdt.statistics.criterion import Thresholds, yes_counts
from speechdt.statistics.metrics import by_run

RULES = {"balanced": "best balanced accuracy", "far10": "10 % false alarms on dev"}
"""Decision thresholds, and what they were chosen for."""
ALL = "all"


def foil_rates(
    trials: pd.DataFrame, thresholds: Thresholds, *, replicates: int, seed: int
) -> pd.DataFrame:
    """Return the rate of false alarms by kind of foil.

    Parameters
    ----------
    trials : DataFrame
        category (the kind), group_id, p_speech, condition (noisy or clean), and run.
    thresholds : Thresholds
        Of each run.
    replicates, seed : int
        Of the bootstrap over groups.

    Returns
    -------
    DataFrame
        threshold (of `RULES`), condition, foil (a kind, or `ALL`), n, groups, rate, low, high.
    """
    rows = []
    for condition, of_condition in trials.groupby("condition", sort=False):
        kinds = [(ALL, of_condition), *of_condition.groupby("category")]
        for rule, title in RULES.items():
            for kind, of in kinds:
                own = list(getattr(thresholds, rule)[:, : replicates + 1])
                row = {"threshold": title, "condition": condition, "foil": kind}
                rows.append(row | _rate(of, own, replicates, seed))
    return pd.DataFrame(rows)


def _rate(
    trials: pd.DataFrame, thresholds: Sequence[Floats], replicates: int, seed: int
) -> dict[str, float]:
    runs = by_run(trials)
    codes, names = pd.factorize(runs[0]["group_id"], sort=True)
    weights = bootstrap.weights(np.ones(len(names)), replicates, seed)
    sizes = np.bincount(codes, minlength=len(names)).astype(float)
    rates = []
    for run, own in zip(runs, thresholds, strict=True):
        yes = yes_counts(run["p_speech"], codes, len(names), own)
        rates.append((weights * yes).sum(1) / (weights @ sizes))
    rate = bootstrap.over_runs(rates, seed)
    low, high = limits.clipped("rate", *bootstrap.interval(rate[0], rate[1:], len(names)))
    low, high = limits.of_rate(float(rate[0]), low, high, len(names))
    return {
        **{"n": len(runs[0]), "groups": len(names)},
        **{"rate": float(rate[0]), "low": low, "high": high},
    }
