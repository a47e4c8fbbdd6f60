"""Tables that a run has beside those of `made_tables`: errors, searches, order bias, verdict, …"""

import numpy as np
import pandas as pd

from speechdt.prompts.comparison import all_searches, compare_search
from speechdt.prompts.order_bias import order_bias
from speechdt.reporting.tables import verdict
from speechdt.reporting.tables.measured import Run
from speechdt.statistics import error_rates
from speechdt.statistics.leave_one_out import compared
from speechdt.statistics.versions import compare_versions
from support.criteria import PLAN
from support.made_answers import made_decided, made_sources


def error_tables(variants):
    """Return errors and errors_common, the figures of one detector under every name."""
    answers = error_rates.answers(made_decided(), made_sources())
    options = {"replicates": 40, "seed": 1}
    tables = {
        "errors": error_rates.error_rates(answers, **options),
        "errors_common": error_rates.common_errors(answers, **options),
    }
    one = {name: table[table["variant"] == "D1"] for name, table in tables.items()}
    return {
        name: pd.concat([table.assign(variant=variant) for variant in variants])
        for name, table in one.items()
    }


def outcome_tables(made, variants):
    """Return what a run has besides: searches, order bias, verdict, a corpus left out, versions."""
    rng = np.random.default_rng(3)
    trials = pd.DataFrame({"group_id": [f"g{place % 8}" for place in range(160)]})
    trials["label"] = np.where(np.arange(160) % 8 < 4, "SPEECH", "NONSPEECH")
    trials["trial_id"] = trials.index.astype(str)
    for name in ("baseline", "winner", "control"):
        trials[name] = np.clip((trials["label"] == "SPEECH") * 0.3 + rng.random(160), 0.01, 0.99)
    both = pd.concat([trials.assign(split=split) for split in ("dev", "test")])
    comparison = compare_search(both, replicates=100, permutations=99, seed=1)
    run = Run(
        *(made[name] for name in ("matrix", "comparisons", "metrics", "latency", "training")),
        adapters={},
        judged=[variants[-1]],
        baselines=["D1", "D2"],
    )
    bias = order_bias(rng.normal(0, 1, (2, 60)), np.arange(60) < 30)
    decided = trials.assign(speech=trials["label"] == "SPEECH", decided=trials["winner"] > 0.6)
    scores = {name: decided["winner"] for name in ("p_speech", "p_temperature", "p_platt")}
    decided = decided.assign(**scores, item_id=decided["group_id"])
    left_out = [
        compared(part, part.assign(decided=part["baseline"] > 0.6), replicates=100, seed=1).assign(
            corpus=corpus, variant="L1", trained=True
        )
        for corpus, part in (("esc50", decided[~decided["speech"]]), ("musan", decided))
    ]
    return {
        "searches": all_searches(
            [comparison.assign(search="base"), comparison.assign(search="large")]
        ),
        "order_bias": pd.DataFrame([{"variant": "B3.seed1", **bias}]),
        "verdict": pd.DataFrame(verdict.findings(run, PLAN)),
        "leave_one_out": pd.concat(left_out),
        "versions": versions(trials),
    }


def versions(trials):
    """Return a winner compared with its control, as if they were versions of one detector."""
    scored = {
        name: trials.assign(speech=trials["label"] == "SPEECH", p_speech=trials[name])
        for name in ("winner", "control")
    }
    thresholds = dict.fromkeys(scored, 0.6)
    settings = {"replicates": 100, "permutations": 100, "seed": 1}
    return compare_versions(scored, [["winner", "control"]], thresholds, **settings)
