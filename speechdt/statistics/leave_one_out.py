"""Loss of a detector on a corpus that it has learned nothing from: tables/leave_one_out.csv.

A run that knows the corpus and one that does not (`speechdt.workflow.left_out_corpora`) hear the
same test trials of it, each with what it learned: weights, threshold, calibration.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap
from speechdt.statistics.limits import of_rate
from speechdt.statistics.metrics import Groups, by_run

METRICS = {
    "balanced_accuracy": ("balanced_accuracy", 0.0, 1.0),
    "auc": ("auc", 0.0, 1.0),
    "miss_rate": ("speech_accuracy", 1.0, -1.0),
    "false_alarm_rate": ("nonspeech_accuracy", 1.0, -1.0),
}
"""What is compared: the metric behind it, and what is added to so many times it."""
COLUMNS = ["corpus", "variant", "trained", "metric", "n", "groups"] + [
    f"{name}{end}"
    for name in ("in_domain", "left_out", "difference")
    for end in ("", "_low", "_high")
]


def compare_all(
    decided: Mapping[str, pd.DataFrame],
    left_out: Sequence[Mapping[str, Any]],
    corpus_of: Mapping[str, str],
    thresholds: Mapping[str, Floats] | None = None,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Compare, on each corpus that was left out, every variant with itself without that corpus.

    Parameters
    ----------
    decided : mapping of str to DataFrame
        Decided trials of test by run.
    left_out : sequence of mappings
        A pair of runs each: ``name``, the run without the corpus, and ``in_domain``, the one that
        knows it; ``variant`` and ``corpus``; ``trained``, whether the run learned its own weights.
    corpus_of : mapping of str to str
        Corpus by source_id.
    thresholds : mapping of str to (1, replicates + 1) array, optional
        Decision thresholds by run, as for `metrics.evaluate`.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        `COLUMNS`: the rows of :func:`compared` for each corpus and variant.
    """
    tables = []
    for keys, pairs in pd.DataFrame(left_out).groupby(["corpus", "variant", "trained"], sort=False):
        described: dict[str, Any] = dict(zip(("corpus", "variant", "trained"), keys, strict=True))
        both, own = [], []
        for names in (pairs["in_domain"], pairs["name"]):
            runs = [decided[name].assign(run=run) for run, name in enumerate(names)]
            trials = pd.concat(runs, ignore_index=True)
            both.append(trials[trials["source_id"].map(corpus_of) == described["corpus"]])
            own.append(thresholds and np.concatenate([thresholds[name] for name in names]))
        table = compared(*both, *own, replicates=replicates, seed=seed)
        tables.append(table.assign(**described))
    return pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS)


def compared(
    in_domain: pd.DataFrame,
    left_out: pd.DataFrame,
    thresholds: Floats | None = None,
    thresholds_left_out: Floats | None = None,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Compare a run that knows a corpus with one that does not, on its test trials.

    Parameters
    ----------
    in_domain, left_out : DataFrame
        From `decisions.decided_runs`, the same trials; several runs each come in pairs.
    thresholds, thresholds_left_out : (runs, replicates + 1) arrays, optional
        Of each, as for `metrics.evaluate`.
    replicates, seed : int
        Of the bootstrap, whose draws of groups both share.

    Returns
    -------
    DataFrame
        One row for each of `METRICS` that the trials define, which of one class is its error rate:
        columns from ``metric`` on of `COLUMNS`. difference is in-domain minus left-out. A corpus
        without test trials has one row, with n = 0 and nothing else.
    """
    if in_domain.empty:
        return pd.DataFrame([{"metric": "", "n": 0, "groups": 0}])
    groups = [
        [Groups(part, row) for part, row in zip(parts, rows, strict=True)]
        for of, own in ((in_domain, thresholds), (left_out, thresholds_left_out))
        for parts in [by_run(of)]
        for rows in [[None] * len(parts) if own is None else list(own)]
    ]
    first = groups[0][0]
    weights = bootstrap.weights(first.speech, replicates, seed)
    with_corpus, without_corpus = ([run.metrics(weights) for run in runs] for runs in groups)
    rows = []
    for name, (metric, shift, scale) in METRICS.items():
        if not all(metric in run for run in (*with_corpus, *without_corpus)):
            continue
        pair = [
            shift + scale * np.stack([run[metric] for run in of])
            for of in (with_corpus, without_corpus)
        ]
        of_class = {"miss_rate": True, "false_alarm_rate": False}.get(name)
        trials = by_run(in_domain)[0]
        trials = trials if of_class is None else trials[trials["speech"] == of_class]
        rows.append(
            {"metric": name, "n": len(trials), "groups": trials["group_id"].nunique()}
            | _row(pair, first, metric, seed)
        )
    return pd.DataFrame(rows)


def _row(pair: list[Floats], groups: Groups, metric: str, seed: int) -> dict[str, Any]:
    """Return both figures and their difference, from (runs, replicates + 1) arrays."""
    counts = groups.count_behind(metric)
    row: dict[str, Any] = {}
    parts = {"in_domain": pair[0], "left_out": pair[1], "difference": pair[0] - pair[1]}
    for name, of_runs in parts.items():
        values = bootstrap.over_runs(of_runs, seed)
        low, high = map(float, bootstrap.interval(values[0], values[1:], counts))
        if name != "difference":
            low, high = (float(np.clip(end, 0.0, 1.0)) for end in (low, high))
            low, high = of_rate(float(values[0]), low, high, min(counts))
        row |= {name: values[0], f"{name}_low": float(low), f"{name}_high": float(high)}
    return row
