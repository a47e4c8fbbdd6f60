"""Verdicts on the criteria of a study, from the measured figures of a run.

A criterion is a bound. Whether the figure reaches it is a plain fact. Whether that is more than
luck of the recordings is inference: the criterion is supported if the figure lies on the good side
with a p-value, corrected for the number of criteria, of at most 0.05, refuted if on the other side,
and undecided in between: with a dozen speakers that is often, and then more speakers are what is
needed, not another decimal. Which variant is judged is fixed beforehand (the one furthest along the
plan), not chosen by its test figures. The criteria themselves are data
(`speechdt.reporting.tables.criteria`); those of the plan and where they come from: docs/plan.md.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from speechdt.reporting.tables.criteria import ANY, READER, WORKFLOW, Condition, Criteria, Criterion
from speechdt.reporting.tables.measured import UNMEASURED, Interval, Run, measure
from speechdt.statistics.comparison import holm_within
from speechdt.statistics.families import FAMILIES, interval_p, word

SUPPORTED, REFUTED, UNDECIDED = FAMILIES["verdict"][-3:]
MET, NOT_MET = "met", "not met"
"""Of what has no interval, or no figure: facts, which nothing is inferred from."""
NOT_RUN, FOR_READER = "not run", "needs human judgement"
REACHED, NOT_REACHED = "reached", "not reached"


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
    reached : str
        `REACHED` or `NOT_REACHED` by the figure as it is; empty without one.
    p_holm : float
        Of figure and bound, corrected for the number of figures that criteria judge; the smallest
        of several of which any will do, else the largest. NaN where nothing is inferred.
    verdict : str
        `SUPPORTED`, `REFUTED` or `UNDECIDED`, where there is an interval, else `MET` or `NOT_MET`;
        `NOT_RUN` if there is no result to judge; `FOR_READER` if it takes a person.
    note : str
        Where the figure is from, or what else there is to say.
    """

    level: str
    criterion: str
    variant: str
    value: float
    low: float
    high: float
    reached: str
    p_holm: float
    verdict: str
    note: str


class Judged(NamedTuple):
    """A condition with its worst figure, the verdict, and the p-value that decides it.

    One figure refutes what all must be, and the surest of those that do decides; what all support
    is as sure as the least sure of them.
    """

    condition: Condition
    figure: Interval
    p: float
    verdict: str

    @property
    def reached(self) -> bool:
        """Whether the worst figure is at the bound or beyond."""
        return _margin(self.figure.value, self.condition) >= 0

    def sure(self) -> float:
        """The end of the interval that is nearer to the bound, the greater the better."""
        return -self.figure.high if self.condition.below else self.figure.low


def _margin(value: float, condition: Condition) -> float:
    """Return by how much a figure is better than the bound; NaN if there is none."""
    return condition.limit - value if condition.below else value - condition.limit


def p_of(figure: Interval, condition: Condition) -> float:
    """Return the p-value of a figure and the bound, not corrected."""
    return interval_p(*figure, condition.limit)


def judge(figure: Interval, condition: Condition, p: float) -> str:
    """Return the verdict on a figure by its p-value, corrected or not."""
    if not figure.measured:
        return NOT_RUN
    margin = _margin(figure.value, condition)
    if np.isnan(p):
        return MET if margin >= 0 else NOT_MET
    # At the bound itself it is reached, though by nothing.
    return word("verdict", margin, p)


def judge_condition(run: Run, condition: Condition) -> Judged:
    """Measure and judge a condition by itself, uncorrected; variants are named (`Run.named`).

    Conditions that are judged in a fixed order, each only if the one before was supported, need no
    correction (Maurer, Hothorn & Lehmacher 1995).
    """
    figures = measure(run, condition)
    return _judged(condition, figures, [p_of(figure, condition) for figure in figures])


def _judged(condition: Condition, figures: Sequence[Interval], p: Sequence[float]) -> Judged:
    worst = min(figures, key=lambda one: _margin(one.value, condition), default=UNMEASURED)
    pairs = list(zip(figures, p, strict=True))
    verdicts = [judge(figure, condition, own) for figure, own in pairs]
    verdict, finite = all_of(verdicts), [own for own in p if not np.isnan(own)]
    if verdict == REFUTED:
        deciding = min(own for own, one in zip(p, verdicts, strict=True) if one == REFUTED)
    else:
        deciding = max(finite, default=np.nan)
    return Judged(condition, worst, deciding, verdict)


def all_of(verdicts: Iterable[str]) -> str:
    """Return the verdict on what all must be: refuted if any is, undecided if not all are met."""
    present = set(verdicts)
    for bad in (REFUTED, NOT_MET):
        if bad in present:
            return bad
    if present <= {NOT_RUN}:
        return NOT_RUN
    if present <= {SUPPORTED, MET}:
        return SUPPORTED if SUPPORTED in present else MET
    return UNDECIDED


def any_of(verdicts: Iterable[str]) -> str:
    """Return the verdict on what one must be: supported if any is, refuted if all are."""
    present = set(verdicts)
    for good in (SUPPORTED, MET):
        if good in present:
            return good
    if present <= {NOT_RUN}:
        return NOT_RUN
    if present <= {REFUTED, NOT_MET}:
        return REFUTED if REFUTED in present else NOT_MET
    return UNDECIDED


def findings(run: Run, criteria: Criteria) -> list[Finding]:
    """Return the verdict on every criterion, in their order; one a baseline where that is asked."""
    named = [
        one
        for criterion in criteria.criteria
        for one in criterion.named(run.variant, run.baselines)
    ]
    measured = [[measure(run, condition) for condition in one.conditions] for one in named]
    p = [
        p_of(figure, condition)
        for one, of_conditions in zip(named, measured, strict=True)
        for condition, figures in zip(one.conditions, of_conditions, strict=True)
        for figure in figures
    ]
    corrected = iter(holm_within(np.array(p, dtype=float), np.full(len(p), True)))
    outcomes = []
    for one, of_conditions in zip(named, measured, strict=True):
        judged = [
            _judged(condition, figures, [float(next(corrected)) for _ in figures])
            for condition, figures in zip(one.conditions, of_conditions, strict=True)
        ]
        outcomes.append(_finding(run, one, judged))
    return outcomes


def _finding(run: Run, criterion: Criterion, judged: Sequence[Judged]) -> Finding:
    level, text, note = criterion.level, criterion.text, criterion.note
    if criterion.how in (READER, WORKFLOW):
        # What the workflow itself makes is there if it ran anything of the study.
        made = MET if run.variant else NOT_RUN
        verdict = FOR_READER if criterion.how == READER else made
        return Finding(level, text, "", *UNMEASURED, "", np.nan, verdict, note)
    alternatives = criterion.how == ANY
    measured = [one for one in judged if one.figure.measured]
    if alternatives:
        shown = max(measured, key=Judged.sure, default=judged[0])
        verdict = any_of(one.verdict for one in measured)
    else:
        shown = judged[0]
        verdict = all_of(one.verdict for one in judged)
    reached = (any if alternatives else all)(one.reached for one in measured)
    p = [one.p for one in measured if not np.isnan(one.p)]
    variants = {condition.variant for condition in criterion.conditions}
    return Finding(
        level,
        text,
        variants.pop() if len(variants) == 1 else "",
        *shown.figure,
        ("" if not measured else REACHED if reached else NOT_REACHED),
        (min if alternatives else max)(p, default=np.nan),
        verdict,
        "; ".join([*([] if alternatives else _ratios(judged[1:])), note]),
    )


def _ratios(judged: Iterable[Judged]) -> list[str]:
    """Return the ratios of latencies in words: they stand beside the figure that is shown."""
    return [
        f"takes {one.figure.value:.1f} times as long"
        for one in judged
        if one.condition.relative_to and one.figure.measured
    ]


def overall(outcomes: Sequence[Finding]) -> dict[str, str]:
    """Return the verdict on each level as a whole; what readers must judge is left out."""
    levels = dict.fromkeys(one.level for one in outcomes)
    return {
        level: all_of(
            one.verdict for one in outcomes if one.level == level and one.verdict != FOR_READER
        )
        for level in levels
    }
