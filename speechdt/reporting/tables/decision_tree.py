"""The decision tree of a study, walked as far as the measured figures of a run carry."""

from typing import NamedTuple

from speechdt.reporting.tables.criteria import Criteria
from speechdt.reporting.tables.measured import Interval, Run
from speechdt.reporting.tables.verdict import (
    MET,
    NOT_MET,
    NOT_RUN,
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    judge_condition,
)


class Step(NamedTuple):
    """A question that was reached, its answer, and what to do then.

    Attributes
    ----------
    question : str
        In the study's words.
    variant : str
        Whose figure answers it.
    figure : Interval
        In the unit of the bound.
    unit : str
        What the figure is shown in.
    verdict : str
        `SUPPORTED` is yes, `REFUTED` no.
    then : str
        What the study does next.
    """

    question: str
    variant: str
    figure: Interval
    unit: str
    verdict: str
    then: str


def decide(run: Run, criteria: Criteria) -> list[Step]:
    """Ask the questions in their order, and stop at the first that is not answered with yes."""
    steps: list[Step] = []
    for question in criteria.tree:
        condition = run.named(question.condition)
        _, figure, _, verdict = judge_condition(run, condition)
        then = {
            **dict.fromkeys((SUPPORTED, MET), question.met),
            **dict.fromkeys((REFUTED, NOT_MET), question.not_met),
            UNDECIDED: f"more test speakers decide; if yes, {question.met}; "
            f"if no, {question.not_met}",
            NOT_RUN: f"not measured: add variant {condition.variant}",
        }[verdict]
        text, variant = condition.write(question.text), condition.variant
        steps.append(Step(text, variant, figure, condition.unit, verdict, then))
        if verdict not in (SUPPORTED, MET):
            break
    return steps
