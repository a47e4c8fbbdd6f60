"""Tables of simulated detectors, computed by the library itself so that their columns are real."""

from copy import deepcopy

import numpy as np
import pandas as pd
from scipy.special import expit

from speechdt.corpus import hygiene
from speechdt.prompts.bank import bank_table
from speechdt.psychometrics.comparison import compare_thresholds
from speechdt.psychometrics.surface import surface
from speechdt.psychometrics.thresholds import thresholds
from speechdt.reporting.tables import latency, levels, matrix
from speechdt.reporting.tables.training import adapters_table, training_curves
from speechdt.statistics.auc_comparison import compare_auc
from speechdt.statistics.calibration import Calibration
from speechdt.statistics.cases import cases
from speechdt.statistics.comparison import compare, contrasts
from speechdt.statistics.metrics import reliability
from speechdt.statistics.operating_points import operating_points, roc_table
from speechdt.statistics.score_shares import score_shares
from speechdt.statistics.slices import by_slice
from support.made_conditions import conditions
from support.shared import shared

SNRS, DURATIONS = (-5, 0, 10), (200, 500, 1000)
GROUPS, ITEMS, REPLICATES = 9, 36, 40
CATEGORIES = ("music", "animals", "noise", "environment")
CALIBRATION = Calibration(0.5, 0.6, 1.5, 0.8, -0.2)
HARDWARE = {
    "processor": "A processor",
    "cores": 2,
    "memory_gib": 8.0,
    "gpus": [],
    "system": "Linux x86_64",
}
# Hearing, bias and gain in logits. The names of more detectors take these in turn.
OBSERVERS = (
    (0.0, 0.0, 1.0),
    (0.0, 9.0, 0.1),  # says SPEECH to everything: thresholds undefined
    (0.0, -9.0, 0.1),  # never says SPEECH: thresholds above the tested range
    (7.0, 0.0, 1.0),  # hears everything: thresholds below it
)
LOG = [
    {"step": step, "loss": 5 / (step + 5), "eval_log_loss": 0.3 + abs(step - 20) / 40,
     "eval_balanced_accuracy": 0.8}
    for step in range(0, 40, 10)
]  # fmt: skip
NAMES = ("D2", "D1", "A1", "A2", "B1", "B2", "B3", "B4", "C1_long-name", "E1", "E2", "E3")


def make(count, snrs=SNRS, durations=DURATIONS):
    """Return the tables of the first `count` detectors by name, for the caller to change."""
    return deepcopy(_made(count, snrs, durations))


@shared
def _made(count, snrs, durations):
    variants = NAMES[:count]
    tables = make_analysed(count, snrs, durations)
    described = {
        variant: {"backend": f"backend_{place}", "model": "nano" if variant == "A1" else ""}
        for place, variant in enumerate(variants)
    }
    tables["comparisons"] = _compared(tuple(variants), snrs, durations)
    dev = {"dev_auc": 0.8, "dev_auc_low": 0.7, "dev_auc_high": 0.9}
    tables["matrix"] = matrix.matrix(
        tables["metrics"], tables["thresholds"], described, dict.fromkeys(variants, dev)
    )
    tables["latency"] = latency.latency({v: _times(2.0**i) for i, v in enumerate(variants)})
    tables["adapters"] = _adapters(variants, tables["matrix"])
    tables["training"] = training_curves(dict.fromkeys(variants, LOG))
    tables["pareto"] = latency.pareto(tables["latency"], tables["matrix"])
    tables |= _deployed(tuple(variants), snrs, durations)
    tables["prompts"] = _bank(tuple(variants), snrs, durations)
    tables["hygiene"] = _hygiene(variants)
    tables |= _levels(variants)
    tables["conditions"] = conditions(variants)
    return tables


def make_analysed(count, snrs=SNRS, durations=DURATIONS):
    """Return the tables of each detector by itself: no comparison, which takes longer."""
    tables = {}
    for name in ("metrics", "reliability", "thresholds", "curves", "surface", "contour"):
        parts = [
            _analysed(place % len(OBSERVERS), snrs, durations)[name].assign(variant=variant)
            for place, variant in enumerate(NAMES[:count])
        ]
        tables[name] = pd.concat(parts, ignore_index=True)
    return tables


def _levels(variants):
    """Let every other variant hear best at -38 dBFS, by a choice, and all others as stored."""
    rungs = ["stored", -60.0, -50.0, -38.0, -26.0, -20.0]
    best = {name: "stored" if place % 2 else -38.0 for place, name in enumerate(variants)}
    probes, chosen = {}, {}
    for name, level in best.items():
        at = -10 if level == "stored" else level
        auc = np.array([0.85 - abs((-10 if r == "stored" else r) - at) / 100 for r in rungs])
        probes[name] = pd.DataFrame(
            {"level": rungs, "clips": 100, "groups": 20, "auc": auc, "auc_low": auc - 0.1}
            | {"auc_high": auc + 0.05, "moved": 0.1, "beyond_full_scale": 0.0}
        )
        presentation = {
            "level": level,
            "container": "none",
            "options": {},
            "auc": 0.85,
            "share": 0.9,
        }
        chosen[name] = {
            "chosen": presentation,
            "default": presentation | {"level": "stored"},
            "tried": [presentation],
            "offered": 1,
            "not_offered": [],
        }
    plain = {name: {"level": "stored", "container": "none"} for name in variants}
    gained = {"auc": 0.85, "auc_stored": 0.6, "gain": 0.25, "gain_low": 0.1, "gain_high": 0.3}
    chosen = {name: one for name, one in chosen.items() if best[name] != "stored"}
    presented = levels.presentations(plain, chosen, dict.fromkeys(chosen, gained))
    return {"levels": levels.levels(probes, best), "presentations": presented}


def _deployed(variants, snrs, durations):
    """Let A1 be the only one that is not ready-made, and every second have a vendor's threshold."""
    points, curves, shares, scored = [], [], [], {}
    for place, variant in enumerate(variants):
        trials = _analysed(place % len(OBSERVERS), snrs, durations)["trials"]
        trials = trials.assign(
            background=np.where(np.arange(len(trials)) // 2 % 2 == 0, "white", "recording")
        )
        of = {"variant": variant, "ready_made": variant != "A1"}
        vendor = 0.4 if place % 2 == 0 else None
        settings = {"replicates": REPLICATES, "seed": 1}
        points.append(operating_points(trials, [0.5], vendor, **settings).assign(**of))
        curves.append(roc_table(trials, **settings).assign(**of))
        shares.append(score_shares(trials).assign(variant=variant))
        scored[variant] = trials
    tables = {"operating_points": points, "roc": curves, "score_shares": shares}
    tables["cases"] = [cases(scored, scored, snrs, **settings)]
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def _bank(variants, snrs, durations):
    """Let every variant be a prompt of the bank."""
    analysed = [
        _analysed(place % len(OBSERVERS), snrs, durations)["trials"]
        for place, _ in enumerate(variants)
    ]
    answers = {
        name: trials["p_speech"].to_numpy() for name, trials in zip(variants, analysed, strict=True)
    }
    odds = {variants[0]: np.random.default_rng(5).normal(0, 1, (2, len(analysed[0])))}
    bank = bank_table(analysed[0], answers, odds, variants[0], replicates=REPLICATES, seed=1)
    return bank.assign(search="base", model="nano")


def _hygiene(variants):
    """Let every variant be a check."""
    rows = [
        ("SPEECH" if category == "speech" else "NONSPEECH", category, f"{category}-{place}")
        for category in ("speech", *CATEGORIES)
        for place in range(GROUPS)
    ]
    index = pd.DataFrame(rows, columns=["label", "category", "source_id"])
    index["group_id"] = index["source_id"]
    random = np.random.default_rng(6)
    scores = {
        name: index[["source_id"]].assign(p_speech=random.random(len(index))) for name in variants
    }
    limits = hygiene.Thresholds(nonspeech_above=0.5, speech_below=0.25)
    return hygiene.count(index, scores, dict.fromkeys(variants, limits))


def _compared(variants, snrs, durations):
    analysed = {
        variant: _analysed(place % len(OBSERVERS), snrs, durations)
        for place, variant in enumerate(variants)
    }
    trials = {variant: of["trials"] for variant, of in analysed.items()}
    settings = {"replicates": REPLICATES, "permutations": 100, "seed": 1}
    planned = contrasts(variants, [["A2", "A1"], ["B2", "B1"]], "D2")
    also = contrasts(variants, [["B2", "A1"]])
    table = compare(trials, planned=planned, also=also, **settings)
    pairs = list(table[["variant", "reference"]].itertuples(index=False, name=None))
    in_family = (table["family"] == "planned").to_numpy()
    areas = compare_auc(trials, pairs, in_family, **settings)
    thresholds = compare_thresholds(trials, pairs, in_family, **settings)
    return pd.concat([table, areas, thresholds], axis=1)


@shared
def _analysed(observer, snrs, durations):
    trials = _decided(_trials(snrs, durations), *OBSERVERS[observer])
    silent = trials["label"] == "CATCH"
    stimuli = trials[~silent]
    noisy = stimuli[stimuli["snr_db"].notna()]
    fitted, curves = thresholds(noisy, trials[silent], replicates=REPLICATES, seed=1)
    parameters, contour = surface(noisy, trials[silent], replicates=REPLICATES, seed=1)
    return {
        "trials": noisy,
        "silent": trials[silent],
        "metrics": by_slice(stimuli, replicates=REPLICATES, seed=1),
        "reliability": reliability(noisy),
        "thresholds": fitted,
        "curves": curves,
        "surface": parameters,
        "contour": contour,
    }


def _trials(snrs, durations):
    rows = []
    for is_speech in (True, False):
        for item in range(ITEMS):
            label = "SPEECH" if is_speech else "NONSPEECH"
            category = "speech" if is_speech else CATEGORIES[item % len(CATEGORIES)]
            row = {"label": label, "category": category, "item_id": f"{label}-{item}"}
            row["group_id"] = f"{category}-{item % GROUPS}"
            cells = [(snr, duration) for snr in snrs for duration in durations]
            for snr, duration in [*cells, (np.nan, 1000)]:
                rows.append(row | {"snr_db": float(snr), "duration_ms": duration})
            for duration in durations:
                catch = {"label": "CATCH", "snr_db": np.nan, "duration_ms": duration}
                rows.append(row | catch | {"group_id": f"catch-{is_speech}-{item}"})
    table = pd.DataFrame(rows)
    return table.assign(trial_id=table.index.astype(str))


def _decided(trials, hearing, bias, gain):
    random = np.random.default_rng(3)
    speech = (trials["label"] == "SPEECH").to_numpy()
    snr = trials["snr_db"].fillna(20).to_numpy()
    audible = hearing + 1.5 + 0.4 * snr + 2 * np.log10(trials["duration_ms"].to_numpy() / 300)
    evidence = np.where(speech, audible, -2.5) + random.normal(0, 1.5, len(trials))
    p = expit(bias + gain * evidence)
    return trials.assign(
        speech=speech,
        p_speech=p,
        p_temperature=CALIBRATION.tempered(p),
        p_platt=CALIBRATION.platt(p),
        decided=CALIBRATION.decide(p),
        decided_far10=p >= CALIBRATION.threshold_far10,
    )


def _adapters(variants, matrix):
    """Let every variant have an adapter, of another number of clips."""
    settings = {"rank": 16, "loss": "answer", "spec_augment": None}
    entries = {
        variant: {"adapter": variant, "runs": [variant], "clips": 2**place * 100, **settings}
        for place, variant in enumerate(variants)
    }
    return adapters_table(entries, dict.fromkeys(variants, LOG), matrix)


def _times(factor):
    spread = {"p50_ms": 0.6 * factor, "p95_ms": 1.1 * factor, "mean_ms": 0.7 * factor}
    return {
        "latency": spread,
        "clip_ms": [0.6 * factor * (0.9 + 0.002 * place) for place in range(101)],
        "stages": {name: spread for name in ("decode", "features", "forward", "other", "post")},
        "throughput_clips_s": 3000 / factor,
        "throughput_batch": 8,
        "load_s": 0.01 * factor,
        "first_ms": 2 * factor,
        "cpu_ms": spread,
        "load": {"cores": 2, "others_before": 0.0, "others_during": 0.02},
        "peak_memory_mib": 250.0,
        "peak_gpu_memory_mib": None,
        "hardware": HARDWARE,
    }
