"""The plan's success criteria and its decision tree, judged on measured figures.

A criterion is a bound. It is met if the whole 95 % interval lies on the good side of the bound, not
met if the whole interval lies on the other side, and undecided in between: with a dozen speakers
that is often, and then more speakers are what is needed, not another decimal. Which variant is
judged is fixed beforehand (the one furthest along the plan), not chosen by its test figures.
Where the plan gives no number (“competitive”, “comparable”, “balanced”) the reading is a constant
here, and is written beside the verdict.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

MET, NOT_MET, UNDECIDED = "met", "not met", "undecided"
NOT_RUN, FOR_READER = "not run", "for a reader"
MARGIN = 0.03
"""How far below a detector one may lie, in balanced accuracy, and be competitive with it."""
AT_EVERY_SNR = 0.75
"""Balanced accuracy that “balanced performance across SNR levels” asks for at each of them."""
COMPARABLE = 2.0
"""How many times slower than another a detector may be, its latency being comparable."""
ABOVE_ZERO = 1e-9
"""What a difference must reach to be above zero: none at all is no improvement."""


class Interval(NamedTuple):
    """A measured figure and its 95 % interval; NaN where it was not measured."""

    value: float
    low: float
    high: float


UNMEASURED = Interval(float("nan"), float("nan"), float("nan"))


class Finding(NamedTuple):
    """A criterion, what was measured, and the verdict.

    Attributes
    ----------
    level : str
        minimum, target, stretch, or a phase of the plan.
    criterion : str
        In the plan's words, with the reading where it has no number.
    variant : str
        Which one was judged; empty if the criterion is about the study.
    value, low, high : float
        The figure and its interval, in the unit of the bound.
    verdict : str
        `MET`, `NOT_MET` or `UNDECIDED`; `NOT_RUN` without a figure; `FOR_READER` if none can say.
    note : str
        Where the figure is from, or what else there is to say.
    """

    level: str
    criterion: str
    variant: str
    value: float
    low: float
    high: float
    verdict: str
    note: str


class Run(NamedTuple):
    """The tables of a run that verdicts are read from.

    Attributes
    ----------
    matrix, comparisons, metrics, latency : DataFrame
        The tables of these names.
    training : DataFrame or None
        ``tables/training.csv``, if anything was trained.
    adapters : mapping
        Training of each variant that has one, by variant.
    judged : sequence of str
        Variants in the plan's order, its last step first; the first that exists is judged.
    baselines : sequence of str
        Voice activity detectors; the last of them is the state of the art.
    """

    matrix: pd.DataFrame
    comparisons: pd.DataFrame
    metrics: pd.DataFrame
    latency: pd.DataFrame
    training: pd.DataFrame | None
    adapters: Mapping[str, str]
    judged: Sequence[str]
    baselines: Sequence[str]

    @property
    def variant(self) -> str:
        """The variant that is judged; empty if there is none of the list."""
        present = set(self.matrix["variant"])
        return next((name for name in self.judged if name in present), "")


def judge(figure: Interval, bound: float, *, below: bool = False) -> str:
    """Return whether a figure is at least the bound (at most, if `below`)."""
    if figure.value != figure.value:
        return NOT_RUN
    low, high = (-figure.high, -figure.low) if below else (figure.low, figure.high)
    bound = -bound if below else bound
    return MET if low >= bound else NOT_MET if high < bound else UNDECIDED


def all_of(verdicts: Iterable[str]) -> str:
    """Return met if all are, not met if any is not, not run if none was, undecided otherwise."""
    found = set(verdicts)
    if NOT_MET in found:
        return NOT_MET
    if found <= {NOT_RUN}:
        return NOT_RUN
    return MET if found == {MET} else UNDECIDED


def any_of(verdicts: Iterable[str]) -> str:
    """Return met if any is, not met if none is, not run if none was, undecided otherwise."""
    found = set(verdicts)
    if MET in found:
        return MET
    if found <= {NOT_RUN}:
        return NOT_RUN
    return NOT_MET if found == {NOT_MET} else UNDECIDED


def findings(run: Run) -> list[Finding]:
    """Return the verdict on every criterion: minimum, target, stretch, then the early phases."""
    return [*_minimum(run), *_target(run), *_stretch(run), *_early(run)]


def figure(run: Run, variant: str, metric: str) -> Interval:
    """Return a metric of ``matrix.csv``."""
    rows = run.matrix[run.matrix["variant"] == variant]
    if rows.empty:
        return UNMEASURED
    return _interval(rows.iloc[0], metric)


def difference(run: Run, variant: str, reference: str) -> Interval:
    """Return by how much a variant beats another in balanced accuracy, whichever way it stands."""
    for sign, first, second in ((1, variant, reference), (-1, reference, variant)):
        table = run.comparisons
        rows = table[(table["variant"] == first) & (table["reference"] == second)]
        if len(rows):
            value, low, high = _interval(rows.iloc[0], "difference")
            return Interval(value, low, high) if sign > 0 else Interval(-value, -high, -low)
    return UNMEASURED


def _interval(row: Any, name: str) -> Interval:
    return Interval(*(float(row[f"{name}{end}"]) for end in ("", "_low", "_high")))


def _at_least(run: Run, level: str, metric: str, bound: float, text: str, variant: str) -> Finding:
    measured = figure(run, variant, metric)
    return Finding(level, text, variant, *measured, judge(measured, bound), "tables/matrix.csv")


def _minimum(run: Run) -> list[Finding]:
    level, variant = "minimum", run.variant
    found = [
        _at_least(run, level, metric, bound, text, variant)
        for metric, bound, text in (
            ("accuracy", 0.75, "overall accuracy ≥ 75 %"),
            ("speech_accuracy", 0.80, "SPEECH ≥ 80 %"),
            ("nonspeech_accuracy", 0.70, "NONSPEECH ≥ 70 %"),
        )
    ]
    for baseline in run.baselines:
        gain = difference(run, variant, baseline)
        found.append(
            Finding(
                level,
                f"improvement over {baseline}",
                *(variant, *gain, judge(gain, ABOVE_ZERO)),
                "tables/comparisons.csv, balanced accuracy",
            )
        )
    return [*found, _by_reader(level, "thorough error analysis", "errors.html")]


def _target(run: Run) -> list[Finding]:
    level, variant = "target", run.variant
    accurate = _at_least(run, level, "accuracy", 0.85, "overall accuracy ≥ 85 %", variant)
    rival = run.baselines[-1] if run.baselines else ""
    gap = difference(run, variant, rival)
    competitive = Finding(
        level,
        f"competitive with state-of-the-art VADs (at most {100 * MARGIN:g} points below {rival})",
        *(variant, *gap, judge(gap, -MARGIN), "tables/comparisons.csv"),
    )
    return [
        accurate,
        _worst_snr(run, variant),
        competitive,
        _prompts(run),
        Finding(
            *(level, "psychometric curves and latency analysis", "", *UNMEASURED, _if_run(run)),
            "figures/psychometric_snr.pdf, figures/pareto.pdf, tables/thresholds.csv",
        ),
    ]


def _worst_snr(run: Run, variant: str) -> Finding:
    table = run.metrics
    at = table[(table["variant"] == variant) & (table["by"] == "snr_db")]
    at = at[at["metric"] == "balanced_accuracy"]
    each = [Interval(*row) for row in at[["value", "low", "high"]].to_numpy(float)]
    worst = min(each, key=lambda one: one.value, default=UNMEASURED)
    return Finding(
        "target",
        f"balanced performance across SNR levels (≥ {100 * AT_EVERY_SNR:g} % at each)",
        *(variant, *worst, all_of(judge(one, AT_EVERY_SNR) for one in each)),
        "the worst SNR; tables/metrics.csv",
    )


def _prompts(run: Run) -> Finding:
    gains = [difference(run, *pair) for pair in (("A2", "A1"), ("B4", "B3"))]
    measured = [gain for gain in gains if gain.value == gain.value]
    best = max(measured, key=lambda gain: gain.low, default=UNMEASURED)
    return Finding(
        "target",
        "prompt optimization benefit (A2 − A1 or B4 − B3 above 0)",
        *("", *best, any_of(judge(gain, ABOVE_ZERO) for gain in measured)),
        "tables/comparisons.csv, balanced accuracy",
    )


def _stretch(run: Run) -> list[Finding]:
    level, variant = "stretch", run.variant
    rival = run.baselines[-1] if run.baselines else ""
    gain, ratio = difference(run, variant, rival), latency_ratio(run, variant, rival)
    both = all_of([judge(gain, ABOVE_ZERO), judge(ratio, COMPARABLE, below=True)])
    return [
        _at_least(run, level, "accuracy", 0.90, "overall accuracy ≥ 90 %", variant),
        Finding(
            level,
            f"better than {rival} at comparable latency (at most {COMPARABLE:g} times its median)",
            *(variant, *gain, both),
            (f"takes {ratio.value:.1f} times as long; " if ratio.value == ratio.value else "")
            + "tables/latency.csv",
        ),
        _by_reader(level, "novel insights from error analysis", "errors.html"),
        Finding(
            *(level, "released model and dataset", "", *UNMEASURED, FOR_READER),
            "snakemake release makes the folder; to publish it is left to you",
        ),
        Finding(
            *(level, "reproducible pipeline", "", *UNMEASURED, _if_run(run)),
            "this page is one of its outputs",
        ),
    ]


def latency_ratio(run: Run, variant: str, rival: str) -> Interval:
    """Return how many times as long as another a variant takes for a clip, at the median."""
    table = run.latency.set_index("variant")
    if not {variant, rival} <= set(table.index):
        return UNMEASURED
    own, other = (_interval(table.loc[name], "latency_p50_ms") for name in (variant, rival))
    return Interval(own.value / other.value, own.low / other.high, own.high / other.low)


def _early(run: Run) -> list[Finding]:
    level, variant = "loss masking (B2)", "B2"
    found = [
        _training_loss(run, level, variant),
        *(
            _at_least(run, level, metric, bound, text, variant)
            for metric, bound, text in (
                ("accuracy", 0.70, "test accuracy ≥ 70 %"),
                ("speech_accuracy", 0.75, "SPEECH ≥ 75 %"),
                ("nonspeech_accuracy", 0.70, "NONSPEECH ≥ 70 %"),
                ("confidence_gap", 0.10, "confidence gap, correct − wrong, ≥ 10 points"),
            )
        ),
    ]
    gap = found[-1]
    found[-1] = gap._replace(
        note="of Platt-scaled probabilities: raw ones can show a gap by mere overconfidence"
    )
    return [*found, _at_least(run, "scaling (B3)", "accuracy", 0.80, "accuracy ≥ 80 %", "B3")]


def _training_loss(run: Run, level: str, variant: str) -> Finding:
    name, value = run.adapters.get(variant), float("nan")
    if run.training is not None and name is not None:
        curve = run.training[(run.training["adapter"] == name)]
        losses = curve[curve["quantity"] == "loss"].sort_values("step")["value"]
        value = float(losses.iloc[-1]) if len(losses) else value
    measured = Interval(value, value, value)
    return Finding(
        *(level, "training loss < 8.0", variant, *measured, judge(measured, 8.0, below=True)),
        "the last logged; the plan's 8.69 was over the whole prompt, and the answer token alone "
        "starts near ln 2 = 0.69, so this bound no longer tells anything",
    )


def _by_reader(level: str, text: str, where: str) -> Finding:
    return Finding(level, text, "", *UNMEASURED, FOR_READER, where)


def _if_run(run: Run) -> str:
    """Met by the workflow itself, if it ran anything of the plan."""
    return MET if run.variant else NOT_RUN


class Step(NamedTuple):
    """A question of the decision tree, its answer, and what the plan says to do then."""

    question: str
    variant: str
    figure: Interval
    verdict: str
    then: str


TREE = (
    (
        "Re-trained with loss masking: test accuracy ≥ 70 %?",
        *("B2", 0.70, "go on to phase 3, dataset scaling"),
        "NONSPEECH hygiene, then re-train; below 75 % after that, review the dataset's quality",
    ),
    (
        "Dataset scaled: accuracy ≥ 80 %?",
        *("B3", 0.80, "go on to phase 4, prompt optimization"),
        "add SpecAugment, and more data",
    ),
    (
        "Prompt optimized: accuracy ≥ 85 %?",
        *("B4", 0.85, "go on to phase 5, final evaluation"),
        "investigate failures (errors.html)",
    ),
)
"""Question, variant, bound, what to do if met, and if not."""


def decide(run: Run) -> list[Step]:
    """Walk the plan's decision tree as far as the figures carry."""
    steps: list[Step] = []
    for question, variant, bound, yes, no in TREE:
        measured = figure(run, variant, "accuracy")
        if measured.value != measured.value:
            then = f"not measured: add variant {variant}"
            return [*steps, Step(question, variant, measured, NOT_RUN, then)]
        verdict = judge(measured, bound)
        either = f"more test speakers decide; if yes, {yes}; if no, {no}"
        then = {MET: yes, NOT_MET: no, UNDECIDED: either}[verdict]
        steps.append(Step(question, variant, measured, verdict, then))
        if verdict != MET:
            break
    return steps


def overall(found: Sequence[Finding]) -> dict[str, str]:
    """Return the verdict on each level as a whole; what readers must judge is left out."""
    levels = dict.fromkeys(one.level for one in found)
    return {
        level: all_of(
            one.verdict for one in found if one.level == level and one.verdict != FOR_READER
        )
        for level in levels
    }
