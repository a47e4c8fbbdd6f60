"""Verdicts on the criteria of a study, from the measured figures of a run.

A criterion is a bound. It is met if the whole 95 % interval lies on the good side of the bound, not
met if the whole interval lies on the other side, and undecided in between: with a dozen speakers
that is often, and then more speakers are what is needed, not another decimal. Which variant is
judged is fixed beforehand (the one furthest along the plan), not chosen by its test figures. The
criteria themselves are data (`speechdt.reporting.tables.criteria`); those of the plan and where
they come from: docs/plan.md.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from speechdt.reporting.tables.criteria import ANY, READER, WORKFLOW, Condition, Criteria, Criterion
from speechdt.reporting.tables.measured import UNMEASURED, Interval, Run, measure

MET, NOT_MET, UNDECIDED = "met", "not met", "undecided"
NOT_RUN, FOR_READER = "not run", "for a reader"


class Finding(NamedTuple):
    """A criterion, what was measured, and the verdict: a row of ``verdict.csv``.

    Attributes
    ----------
    level : str
        minimum, target, stretch, or a phase of the study.
    criterion : str
        In the study's words, with the reading where it has no number.
    variant : str
        Which one was judged; empty if several were, or the study as a whole.
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


class Judged(NamedTuple):
    """A condition with its worst figure and the verdict on it."""

    condition: Condition
    figure: Interval
    verdict: str

    def sure(self) -> float:
        """The end of the interval that is nearer to the bound, the greater the better."""
        return -self.figure.high if self.condition.below else self.figure.low


def judge(figure: Interval, bound: float, *, below: bool = False) -> str:
    """Return whether a figure is at least the bound (at most, if `below`)."""
    if not figure.measured:
        return NOT_RUN
    low, high = (-figure.high, -figure.low) if below else (figure.low, figure.high)
    bound = -bound if below else bound
    return MET if low >= bound else NOT_MET if high < bound else UNDECIDED


def judge_condition(run: Run, condition: Condition) -> Judged:
    """Measure what a condition asks for, and judge it; variants are named (`Run.named`)."""
    below = condition.below
    figures = measure(run, condition)
    worst = (max if below else min)(figures, key=lambda one: one.value, default=UNMEASURED)
    verdict = all_of(judge(one, condition.limit, below=below) for one in figures)
    return Judged(condition, worst, verdict)


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


def findings(run: Run, criteria: Criteria) -> list[Finding]:
    """Return the verdict on every criterion, in their order; one a baseline where that is asked."""
    return [
        _finding(run, named)
        for criterion in criteria.criteria
        for named in criterion.named(run.variant, run.baselines)
    ]


def _finding(run: Run, criterion: Criterion) -> Finding:
    if criterion.how in (READER, WORKFLOW):
        # What the workflow itself makes is there if it ran anything of the study.
        made = MET if run.variant else NOT_RUN
        verdict = FOR_READER if criterion.how == READER else made
        return Finding(*(criterion.level, criterion.text, "", *UNMEASURED, verdict, criterion.note))
    judged = [judge_condition(run, condition) for condition in criterion.conditions]
    if criterion.how == ANY:
        judged = [one for one in judged if one.figure.measured]
        shown = max(
            judged, key=Judged.sure, default=Judged(criterion.conditions[0], UNMEASURED, "")
        )
        verdict = any_of(one.verdict for one in judged)
    else:
        shown = judged[0]
        verdict = all_of(one.verdict for one in judged)
    variants = {condition.variant for condition in criterion.conditions}
    variant = variants.pop() if len(variants) == 1 else ""
    note = "; ".join([*_ratios(judged[1:]), criterion.note])
    return Finding(criterion.level, criterion.text, variant, *shown.figure, verdict, note)


def _ratios(judged: Iterable[Judged]) -> list[str]:
    """Return the ratios of latencies in words: they stand beside the figure that is shown."""
    return [
        f"takes {one.figure.value:.1f} times as long"
        for one in judged
        if one.condition.relative_to and one.figure.measured
    ]


def overall(found: Sequence[Finding]) -> dict[str, str]:
    """Return the verdict on each level as a whole; what readers must judge is left out."""
    levels = dict.fromkeys(one.level for one in found)
    return {
        level: all_of(
            one.verdict for one in found if one.level == level and one.verdict != FOR_READER
        )
        for level in levels
    }
