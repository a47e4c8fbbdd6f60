"""Verdicts recomputed from three synthetic runs: one meets the plan, one fails, one cannot tell."""

import numpy as np
import pandas as pd
import pytest
from support.criteria import PLAN, study

from speechdt.reporting.tables import matrix
from speechdt.reporting.tables.criteria import criteria_of
from speechdt.reporting.tables.decision_tree import decide
from speechdt.reporting.tables.measured import Interval, Run, difference
from speechdt.reporting.tables.verdict import (
    FOR_READER,
    MET,
    NOT_MET,
    NOT_REACHED,
    NOT_RUN,
    REACHED,
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    all_of,
    any_of,
    findings,
    judge,
    overall,
    p_of,
)
from speechdt.reporting.tables.verdict_text import findings_table, page
from speechdt.statistics.comparison import compare, contrasts
from speechdt.statistics.slices import by_slice

VARIANTS = ("A1", "A2", "B1", "B2", "B3", "B4", "D1", "D2")
GOOD, BAD = {SUPPORTED, MET}, {REFUTED, NOT_MET}
JUDGED = ("B4", "B3", "B2", "A2", "A1")
RIGHT = {  # rate of correct decisions
    "met": dict(zip(VARIANTS, (0.6, 0.8, 0.7, 0.85, 0.93, 0.98, 0.6, 0.85), strict=True)),
    "not met": dict(zip(VARIANTS, (0.5, 0.5, 0.5, 0.55, 0.5, 0.5, 0.6, 0.85), strict=True)),
    "undecided": dict(zip(VARIANTS, (0.7, 0.7, 0.7, 0.71, 0.8, 0.81, 0.8, 0.8), strict=True)),
}
GROUPS = {"met": 40, "not met": 40, "undecided": 5}
DEV = {"dev_auc": 0.8, "dev_auc_low": 0.7, "dev_auc_high": 0.9}


def simulated(rate, groups, seed):
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
        variant: simulated(RIGHT[name][variant], GROUPS[name], seed)
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
    return {(one.level, one.criterion.split(" (")[0]): one.verdict for one in findings(run, PLAN)}


def test_a_run_that_meets_the_plan(runs):
    outcomes = verdicts(runs["met"])
    left_to_readers = {
        ("minimum", "thorough error analysis"),
        ("stretch", "novel insights from error analysis"),
        ("stretch", "released model and dataset"),
        ("stretch", "reproducible pipeline"),
    }
    # 0.9 always, right or wrong
    gap = ("loss masking", "confidence gap, correct − wrong, ≥ 10 points")
    for key, verdict in outcomes.items():
        if key not in left_to_readers and key[1] != gap[1]:
            assert verdict in GOOD, key
    assert {outcomes[key] for key in left_to_readers} == {FOR_READER}
    levels = overall(findings(runs["met"], PLAN))
    assert [levels[level] for level in ("minimum", "target", "stretch")] == [SUPPORTED] * 3
    steps = decide(runs["met"], PLAN)
    assert [step.verdict for step in steps] == [SUPPORTED] * 3
    assert "phase 5" in steps[-1].then


def test_a_run_that_fails(runs):
    outcomes = verdicts(runs["not met"])
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
        assert {k[1]: v for k, v in outcomes.items() if k[0].startswith(key[0])}[key[1]] in BAD, key
    (step,) = decide(runs["not met"], PLAN)
    assert step.verdict == REFUTED
    assert step.then.startswith("NONSPEECH hygiene")


def test_a_run_with_too_few_speakers(runs):
    outcomes = verdicts(runs["undecided"])
    for text in ("overall accuracy ≥ 75 %", "improvement over D2"):
        assert outcomes[("minimum", text)] == UNDECIDED, text
    assert overall(findings(runs["undecided"], PLAN))["minimum"] == UNDECIDED
    (step,) = decide(runs["undecided"], PLAN)
    assert step.verdict == UNDECIDED
    assert "if yes, go on to phase 3" in step.then
    assert "if no, NONSPEECH hygiene" in step.then


def test_the_tree_stops_where_the_plan_says(runs):
    scaled = runs["met"]
    matrix = scaled.matrix.set_index("variant")
    for end in ("", "_low", "_high"):
        matrix.loc["B3", f"accuracy{end}"] = 0.7
    steps = decide(scaled._replace(matrix=matrix.reset_index()), PLAN)
    assert [step.verdict for step in steps] == [SUPPORTED, NOT_MET]
    assert steps[-1].then == "add SpecAugment, and more data"


def test_a_variant_that_is_missing_is_not_judged_by_another_one():
    run = run_of("met", ("A1", "D1", "D2"))
    assert run.variant == "A1"
    (step,) = decide(run, PLAN)
    assert (step.verdict, step.then) == (NOT_RUN, "not measured: add variant B2")
    nothing = run._replace(judged=())
    assert "nothing to judge" in page(nothing, PLAN)
    assert "nan" not in page(nothing, PLAN)
    early = [one for one in findings(run, PLAN) if one.variant == "B2"]
    assert {one.verdict for one in early if "loss" not in one.criterion} == {NOT_RUN}
    judgements = findings(nothing, PLAN)
    assert {one.verdict for one in judgements if not one.variant} <= {NOT_RUN, FOR_READER}
    levels = overall(judgements)
    assert [levels[level] for level in ("minimum", "target", "stretch")] == [NOT_RUN] * 3


def test_slow_is_not_comparable(runs):
    table = runs["met"].latency.set_index("variant")
    table.loc["B4"] = 3.0
    slow = runs["met"]._replace(latency=table.reset_index())
    assert verdicts(slow)[("stretch", "better than D2 at comparable latency")] == NOT_MET


def condition(limit, **given):
    return (
        criteria_of(
            {"criteria": [{"level": "own", "criterion": "x", "metric": "accuracy"} | given | limit]}
        )
        .criteria[0]
        .conditions[0]
    )


def test_bounds_and_their_intervals():
    least, most = condition({"at_least": 0.75}), condition({"at_most": 0.75})

    def verdict(figure, of):
        return judge(figure, of, p_of(figure, of))

    assert verdict(Interval(0.8, 0.75, 0.9), least) == SUPPORTED
    assert verdict(Interval(0.7, 0.6, 0.7499), least) == REFUTED
    assert verdict(Interval(0.8, 0.7, 0.9), least) == UNDECIDED
    assert verdict(Interval(0.7, 0.6, 0.7499), most) == SUPPORTED
    assert verdict(Interval(0.8, 0.76, 0.9), most) == REFUTED
    assert verdict(Interval(0.8, 0.8, 0.8), least) == MET  # without an interval: a fact
    assert verdict(Interval(0.8, 0.8, 0.8), most) == NOT_MET
    assert verdict(Interval(-np.inf, -np.inf, 0.7), most) == SUPPORTED
    assert verdict(Interval(np.nan, np.nan, np.nan), least) == NOT_RUN
    assert all_of([]) == any_of([]) == all_of([NOT_RUN]) == NOT_RUN
    assert all_of([MET, NOT_RUN]) == any_of([NOT_MET, NOT_RUN]) == UNDECIDED
    assert all_of([SUPPORTED, UNDECIDED]) == UNDECIDED
    assert all_of([SUPPORTED, MET]) == any_of([SUPPORTED, REFUTED]) == SUPPORTED
    assert all_of([REFUTED, UNDECIDED]) == any_of([REFUTED, NOT_MET]) == REFUTED
    assert any_of([NOT_MET, MET]) == MET
    assert any_of([NOT_MET, UNDECIDED]) == UNDECIDED


def test_words_of_inference_are_corrected_for_the_number_of_criteria_and_facts_are_not(runs):
    """An interval that leaves out the bound carries one criterion, and not one among twenty."""
    table = runs["met"].matrix.copy()
    table[["accuracy", "accuracy_low", "accuracy_high"]] = 0.80, 0.76, 0.84
    run = runs["met"]._replace(matrix=table)
    one = {"level": "own", "metric": "accuracy", "at_least": 0.75}
    (alone,) = findings(run, study(one | {"criterion": "x"}))
    crowd = findings(run, study(*(one | {"criterion": f"x{place}"} for place in range(20))))
    assert (alone.verdict, alone.reached) == (SUPPORTED, REACHED)
    assert {(each.verdict, each.reached) for each in crowd} == {(UNDECIDED, REACHED)}
    assert crowd[0].p_holm == pytest.approx(20 * alone.p_holm)
    short = findings(run, study(one | {"criterion": "x", "at_least": 0.81}))
    assert (short[0].verdict, short[0].reached) == (UNDECIDED, NOT_REACHED)
    cells = findings_table(crowd).iloc[0]
    assert (cells["Reached"], cells["Verdict"]) == ("reached: 80.0", "undecided")


def test_a_difference_can_be_read_either_way(runs):
    one, other = (difference(runs["met"], *pair) for pair in (("B4", "D2"), ("D2", "B4")))
    assert one.low > 0
    assert other == pytest.approx((-one.value, -one.high, -one.low))


def test_the_page_says_it_all(runs):
    text = page(runs["not met"], PLAN)
    assert "Judged: B4." in text
    for one in findings(runs["not met"], PLAN):
        assert one.criterion in text
    assert "Next: NONSPEECH hygiene" in text
    assert "nan" not in text


def test_the_page_calls_variants_by_their_labels(runs):
    text = page(runs["not met"], PLAN, {"B4": "the tuned one", "D2": "D2"})
    assert "Judged: the tuned one." in text
    assert "In CSV files, folders and criteria, the tuned one is B4." in text
    assert "| the tuned one |" in text
    assert "| B4 |" not in text


# --- another study's criteria ---------------------------------------------------------------------


def test_one_study_s_bounds_are_not_another_s(runs):
    strict = study(
        {"level": "own", "criterion": "right ≥ {bound} %", "metric": "accuracy", "at_least": 0.99},
        {"level": "own", "criterion": "A1 beats {reference}", "metric": "balanced_accuracy"}
        | {"variant": "A1", "over": "D1", "at_most": 0.5},
    )
    judgements = findings(runs["met"], strict)
    assert [one[:3] for one in judgements] == [
        ("own", "right ≥ 99 %", "B4"),
        ("own", "A1 beats D1", "A1"),
    ]
    assert [one.verdict for one in judgements] == [REFUTED, SUPPORTED]


def test_a_criterion_at_each_level_is_as_good_as_the_worst(runs):
    table = runs["met"].metrics.copy()
    at = (table["variant"] == "B4") & (table["metric"] == "balanced_accuracy")
    at &= (table["by"] == "snr_db") & (table["level"].astype(str) == "-5")
    assert at.sum() == 1
    table.loc[at, ["value", "low", "high"]] = 0.5, 0.45, 0.55
    worse = runs["met"]._replace(metrics=table)
    key = ("target", "balanced performance across SNR levels")
    assert verdicts(worse)[key] == REFUTED
    assert verdicts(runs["met"])[key] == SUPPORTED
    (one,) = [one for one in findings(worse, PLAN) if one.criterion.startswith("balanced perf")]
    assert (one.value, one.low, one.high) == (0.5, 0.45, 0.55)


def test_one_of_several_is_enough_and_all_of_several_are_needed(runs):
    gains = [
        {"metric": "balanced_accuracy", "variant": variant, "over": reference, "above": 0}
        for variant, reference in (("A2", "A1"), ("A1", "B4"))
    ]
    ways = [{"level": "own", "criterion": way, way: gains} for way in ("any_of", "all_of")]
    any_found, all_found = findings(runs["met"], study(*ways))
    assert (any_found.verdict, all_found.verdict) == (SUPPORTED, REFUTED)
    assert (any_found.variant, all_found.variant) == ("", "")
    assert any_found.value == difference(runs["met"], "A2", "A1").value > 0  # the better one


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        ({"metric": "latency_p50_ms", "at_most": 5}, "1.0 [1.0, 1.0] ms"),
        (
            {"metric": "latency_p50_ms", "relative_to": "D1", "at_most": 5},
            "1.00 [1.00, 1.00] times",
        ),
        ({"metric": "dt75_db", "at_most": 0}, "−2.1 [< tested, −1.0] dB"),
        ({"metric": "auc", "at_least": 0.5}, "0.875 [0.850, 0.900]"),
        ({"metric": "training_loss", "variant": "B2", "below": 1}, "0.40"),
        ({"metric": "accuracy", "at_least": 0.5}, "87.5 [85.0, 90.0]"),
    ],
)
def test_figures_have_their_own_units(runs, condition, shown):
    run = runs["met"]
    table = run.matrix.copy()
    for metric in ("auc", "accuracy"):
        table[[metric, f"{metric}_low", f"{metric}_high"]] = 0.875, 0.85, 0.9
    table[["dt75_db", "dt75_db_low", "dt75_db_high"]] = -2.1, -np.inf, -1.0
    table["dt75_censored"] = ""
    run = run._replace(matrix=table)
    criteria = study({"level": "own", "criterion": "it is good"} | condition)
    judgements = findings(run, criteria)
    cells = findings_table(judgements, criteria.units(run.baselines))
    assert cells["Measured"].tolist() == [shown]
    assert set(cells["Verdict"]) <= GOOD
    assert shown in page(run, criteria)
    percent = condition["metric"] in ("accuracy", "training_loss")
    assert ("Units other than percent" in page(run, criteria)) is not percent
    assert "Decision tree" not in page(run, criteria)


def test_a_bound_that_may_not_be_reached(runs):
    table = runs["met"].matrix.assign(accuracy=0.5, accuracy_low=0.5, accuracy_high=0.5)
    run = runs["met"]._replace(matrix=table)
    one = {"level": "own", "criterion": "x", "metric": "accuracy"}
    bounds = ("at_least", "above", "at_most", "below")
    judgements = findings(run, study(*(one | {bound: 0.5} for bound in bounds)))
    assert [each.verdict for each in judgements] == [MET, NOT_MET, MET, NOT_MET]


def test_a_run_without_detectors_to_beat(runs):
    run = runs["met"]._replace(baselines=[])
    outcomes = {one.criterion: one.verdict for one in findings(run, PLAN)}
    assert not [text for text in outcomes if text.startswith("improvement")]
    (text,) = [text for text in outcomes if text.startswith("better than")]
    assert outcomes[text] == NOT_RUN
    assert "last baseline" in text
