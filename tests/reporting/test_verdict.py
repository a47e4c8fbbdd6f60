"""Verdicts recomputed from three synthetic runs: one meets the plan, one fails, one cannot tell."""

import numpy as np
import pandas as pd
import pytest

from speechdt.reporting.tables import matrix
from speechdt.reporting.tables.verdict import (
    FOR_READER,
    MET,
    NOT_MET,
    NOT_RUN,
    UNDECIDED,
    Interval,
    Run,
    all_of,
    any_of,
    decide,
    difference,
    findings,
    judge,
    overall,
)
from speechdt.reporting.tables.verdict_text import page
from speechdt.statistics.comparison import compare, contrasts
from speechdt.statistics.slices import by_slice

VARIANTS = ("A1", "A2", "B1", "B2", "B3", "B4", "D1", "D2")
JUDGED = ("B4", "B3", "B2", "A2", "A1")
RIGHT = {  # rate of correct decisions
    "met": dict(zip(VARIANTS, (0.6, 0.8, 0.7, 0.85, 0.93, 0.98, 0.6, 0.85), strict=True)),
    "not met": dict(zip(VARIANTS, (0.5, 0.5, 0.5, 0.55, 0.5, 0.5, 0.6, 0.85), strict=True)),
    "undecided": dict(zip(VARIANTS, (0.7, 0.7, 0.7, 0.71, 0.8, 0.81, 0.8, 0.8), strict=True)),
}
GROUPS = {"met": 40, "not met": 40, "undecided": 5}
DEV = {"dev_auc": 0.8, "dev_auc_low": 0.7, "dev_auc_high": 0.9}


def heard(rate, groups, seed):
    """Trials of a variant; groups differ the more, the fewer there are."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"{label}{g}", label == "SPEECH", snr, item)
        for label in ("SPEECH", "NONSPEECH")
        for g in range(groups)
        for snr in (-5.0, 10.0)
        for item in range(12)
    ]
    frame = pd.DataFrame(rows, columns=["group_id", "speech", "snr_db", "item"])
    spread = 0.15 if groups < 10 else 0.01
    shift = dict(zip(frame["group_id"].unique(), rng.normal(0, spread, 2 * groups), strict=True))
    right = rng.random(len(frame)) < np.clip(rate + frame["group_id"].map(shift), 0, 1)
    decided = frame["speech"].to_numpy() == right
    p = np.where(decided, 0.9, 0.1)
    frame = frame.assign(decided=decided, p_speech=p, p_temperature=p, p_platt=p, duration_ms=200)
    names = {"trial_id": frame.index.astype(str), "category": "any", "label": "any"}
    return frame.assign(item_id=frame["group_id"] + frame["item"].astype(str), **names)


def run_of(name, variants=VARIANTS):
    trials = {
        variant: heard(RIGHT[name][variant], GROUPS[name], seed)
        for seed, variant in enumerate(variants)
    }
    settings = {"replicates": 400, "seed": 1}
    metrics = pd.concat(
        [by_slice(of, **settings).assign(variant=variant) for variant, of in trials.items()]
    )
    described = {variant: {"backend": "any", "model": ""} for variant in variants}
    thresholds = pd.DataFrame(columns=["variant", "dimension", "slice", "kind"])
    planned = contrasts(variants, [["A2", "A1"], ["B4", "B3"]], "D2")
    latency = pd.DataFrame({"variant": variants})
    for end in ("", "_low", "_high"):
        latency[f"latency_p50_ms{end}"] = 1.0
    losses = {"met": 0.4, "not met": 8.69, "undecided": 8.69}
    training = [("small", 10, "loss", 9.0), ("small", 20, "loss", losses[name])]
    return Run(
        matrix=matrix.matrix(metrics, thresholds, described, dict.fromkeys(variants, DEV)),
        comparisons=compare(trials, planned=planned, permutations=200, **settings),
        metrics=metrics,
        latency=latency,
        training=pd.DataFrame(training, columns=["adapter", "step", "quantity", "value"]),
        adapters={"B2": "small"},
        judged=JUDGED,
        baselines=["D1", "D2"],
    )


@pytest.fixture(scope="module")
def runs():
    return {name: run_of(name) for name in RIGHT}


def verdicts(run):
    return {(one.level, one.criterion.split(" (")[0]): one.verdict for one in findings(run)}


def test_a_run_that_meets_the_plan(runs):
    found = verdicts(runs["met"])
    left_to_readers = {
        ("minimum", "thorough error analysis"),
        ("stretch", "novel insights from error analysis"),
        ("stretch", "released model and dataset"),
    }
    # 0.9 always, right or wrong
    gap = ("loss masking", "confidence gap, correct − wrong, ≥ 10 points")
    for key, verdict in found.items():
        if key not in left_to_readers and key[1] != gap[1]:
            assert verdict == MET, key
    assert {found[key] for key in left_to_readers} == {FOR_READER}
    levels = overall(findings(runs["met"]))
    assert [levels[level] for level in ("minimum", "target", "stretch")] == [MET] * 3
    steps = decide(runs["met"])
    assert [step.verdict for step in steps] == [MET] * 3
    assert "phase 5" in steps[-1].then


def test_a_run_that_fails(runs):
    found = verdicts(runs["not met"])
    for key in (
        *(("minimum", "overall accuracy ≥ 75 %"), ("minimum", "SPEECH ≥ 80 %")),
        *(("minimum", "NONSPEECH ≥ 70 %"), ("minimum", "improvement over D2")),
        *(
            ("target", "overall accuracy ≥ 85 %"),
            ("target", "competitive with state-of-the-art VADs"),
        ),
        *(
            ("stretch", "overall accuracy ≥ 90 %"),
            ("stretch", "better than D2 at comparable latency"),
        ),
        *(("loss masking", "training loss < 8.0"), ("loss masking", "test accuracy ≥ 70 %")),
        ("target", "balanced performance across SNR levels"),
    ):
        assert {k[1]: v for k, v in found.items() if k[0].startswith(key[0])}[key[1]] == NOT_MET, (
            key
        )
    (step,) = decide(runs["not met"])
    assert step.verdict == NOT_MET
    assert step.then.startswith("NONSPEECH hygiene")


def test_a_run_with_too_few_speakers(runs):
    found = verdicts(runs["undecided"])
    for text in ("overall accuracy ≥ 75 %", "improvement over D2"):
        assert found[("minimum", text)] == UNDECIDED, text
    assert overall(findings(runs["undecided"]))["minimum"] == UNDECIDED
    (step,) = decide(runs["undecided"])
    assert step.verdict == UNDECIDED
    assert "if yes, go on to phase 3" in step.then
    assert "if no, NONSPEECH hygiene" in step.then


def test_the_tree_stops_where_the_plan_says(runs):
    scaled = runs["met"]
    matrix = scaled.matrix.set_index("variant")
    for end in ("", "_low", "_high"):
        matrix.loc["B3", f"accuracy{end}"] = 0.7
    steps = decide(scaled._replace(matrix=matrix.reset_index()))
    assert [step.verdict for step in steps] == [MET, NOT_MET]
    assert steps[-1].then == "add SpecAugment, and more data"


def test_a_variant_that_is_missing_is_not_judged_by_another_one():
    run = run_of("met", ("A1", "D1", "D2"))
    assert run.variant == "A1"
    (step,) = decide(run)
    assert (step.verdict, step.then) == (NOT_RUN, "not measured: add variant B2")
    nothing = run._replace(judged=())
    assert "nothing to judge" in page(nothing)
    assert "nan" not in page(nothing)
    early = [one for one in findings(run) if one.variant == "B2"]
    assert {one.verdict for one in early if "loss" not in one.criterion} == {NOT_RUN}
    assert {one.verdict for one in findings(nothing) if not one.variant} <= {NOT_RUN, FOR_READER}
    levels = overall(findings(nothing))
    assert [levels[level] for level in ("minimum", "target", "stretch")] == [NOT_RUN] * 3


def test_slow_is_not_comparable(runs):
    table = runs["met"].latency.set_index("variant")
    table.loc["B4"] = 3.0
    slow = runs["met"]._replace(latency=table.reset_index())
    assert verdicts(slow)[("stretch", "better than D2 at comparable latency")] == NOT_MET


def test_bounds_and_their_intervals():
    assert judge(Interval(0.8, 0.75, 0.9), 0.75) == MET
    assert judge(Interval(0.7, 0.6, 0.7499), 0.75) == NOT_MET
    assert judge(Interval(0.8, 0.7, 0.9), 0.75) == UNDECIDED
    assert judge(Interval(1, 1, 1), 2, below=True) == MET
    assert judge(Interval(3, 2.5, 4), 2, below=True) == NOT_MET
    assert judge(Interval(np.nan, np.nan, np.nan), 0.5) == NOT_RUN
    assert all_of([]) == any_of([]) == all_of([NOT_RUN]) == NOT_RUN
    assert all_of([MET, NOT_RUN]) == any_of([NOT_MET, NOT_RUN]) == UNDECIDED
    assert all_of([MET, UNDECIDED]) == UNDECIDED
    assert all_of([NOT_MET, UNDECIDED]) == NOT_MET
    assert any_of([NOT_MET, MET]) == MET
    assert any_of([NOT_MET, UNDECIDED]) == UNDECIDED


def test_a_difference_can_be_read_either_way(runs):
    one, other = (difference(runs["met"], *pair) for pair in (("B4", "D2"), ("D2", "B4")))
    assert one.low > 0
    assert other == pytest.approx((-one.value, -one.high, -one.low))


def test_the_page_says_it_all(runs):
    text = page(runs["not met"])
    assert "Judged: B4." in text
    for one in findings(runs["not met"]):
        assert one.criterion in text
    assert "Next: NONSPEECH hygiene" in text
    assert "nan" not in text
