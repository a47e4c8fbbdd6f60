"""The verdict as people read it: tables of text, and the page ``tables/verdict.md``."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from speechdt.reporting.tables.criteria import (
    DB,
    DECIMAL,
    LOSS,
    MS,
    PERCENT,
    RATIO,
    Criteria,
)
from speechdt.reporting.tables.decision_tree import Step, decide
from speechdt.reporting.tables.formatting import MISSING, model_notes, number, with_interval
from speechdt.reporting.tables.markup import markdown
from speechdt.reporting.tables.measured import Interval, Run
from speechdt.reporting.tables.names import legend, renamed
from speechdt.reporting.tables.statistics_text import p_value
from speechdt.reporting.tables.verdict import (
    MET,
    NOT_MET,
    REFUTED,
    SUPPORTED,
    Finding,
    findings,
    overall,
)

NOTE = (
    "Reached: the measured value meets the bound, chance included. Supported: it is better than "
    "the bound with p ≤ 0.05, corrected for the number of criteria (Holm); refuted: worse than the "
    "bound, likewise; undecided: neither, and more speakers are needed; met: has no interval; not "
    "run: no result. In percent, and in points for differences."
)
OTHER_UNITS = "Units other than percent are written; AUC, d′ and calibration errors have none."
UNITS = {"training loss < 8.0": LOSS}
"""Of the plan's own criteria, by their text: those whose figures are not in percent."""
ANSWERS = {SUPPORTED: "yes", MET: "yes", REFUTED: "no", NOT_MET: "no"}
_SHOWN = {
    PERCENT: (100.0, 1, ""),
    DECIMAL: (1.0, 3, ""),
    DB: (1.0, 1, " dB"),
    MS: (1.0, 1, " ms"),
    RATIO: (1.0, 2, " times"),
}
"""By unit: the factor of a figure, its digits, and what stands behind it."""


def findings_table(outcomes: Sequence[Finding], units: Mapping[str, str] = UNITS) -> pd.DataFrame:
    """Return one row a criterion.

    Parameters
    ----------
    outcomes : sequence of Finding
        Rows of ``verdict.csv``.
    units : mapping
        What figures are shown in, by the text of the criterion (`Criteria.units`); else percent.
    """
    rows = [
        {
            "Level": one.level,
            "Criterion": one.criterion,
            "Variant": one.variant or MISSING,
            "Measured": _shown(
                Interval(one.value, one.low, one.high), units.get(one.criterion, PERCENT)
            ),
            "Reached": _reached(one, units.get(one.criterion, PERCENT)),
            "p, Holm": p_value(one.p_holm),
            "Verdict": one.verdict,
            "Note": one.note,
        }
        for one in outcomes
    ]
    return pd.DataFrame(rows, dtype=str)


def tree_table(steps: Sequence[Step]) -> pd.DataFrame:
    """Return one row a question of the decision tree that was reached."""
    rows = [
        {
            "Question": step.question,
            "Variant": step.variant,
            "Measured": _shown(step.figure, step.unit),
            "Answer": ANSWERS.get(step.verdict, step.verdict),
            "What the plan says to do": step.then,
        }
        for step in steps
    ]
    return pd.DataFrame(rows, dtype=str)


def page(run: Run, criteria: Criteria, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return ``verdict.md``: stand-ins first, then levels, criteria, early phases and the tree.

    Parameters
    ----------
    run : Run
    criteria : Criteria
    names : mapping of str to str
        What readers call the variants. Criteria and questions keep the words of the study.
    """
    outcomes = [
        one._replace(variant=names.get(one.variant, one.variant)) for one in findings(run, criteria)
    ]
    steps = [
        one._replace(variant=names.get(one.variant, one.variant)) for one in decide(run, criteria)
    ]
    levels = pd.DataFrame(
        [{"Level": level, "Verdict": verdict} for level, verdict in overall(outcomes).items()],
        dtype=str,
    )
    stand_ins = "\n\n".join(f"**{note}**" for note in model_notes(renamed(run.matrix, names)))
    units = criteria.units(run.baselines)
    note = NOTE if set(units.values()) <= {PERCENT, LOSS} else f"{NOTE} {OTHER_UNITS}"
    parts = [
        "# Verdict",
        stand_ins,
        _judged(run, outcomes, names),
        legend(names),
        "## By level",
        markdown(levels, "What only a reader can judge is left out.").strip(),
        "## Criteria",
        markdown(findings_table(outcomes, units), note).strip(),
    ]
    if steps:
        tree = markdown(tree_table(steps), f"Next: {steps[-1].then}.").strip()
        parts += ["## Decision tree", tree]
    return "\n\n".join(part for part in parts if part) + "\n"


def _judged(run: Run, outcomes: Sequence[Finding], names: Mapping[str, str]) -> str:
    """Say which variant is judged where a criterion names none."""
    if run.variant:
        judged = names.get(run.variant, run.variant)
        return (
            f"Judged: {judged}. It is the variant furthest along the plan, fixed before any "
            "figure was seen."
        )
    present = {names.get(name, name) for name in run.matrix["variant"]}
    if not {one.variant for one in outcomes} & present:
        return "None of the plan's variants was run: there is nothing to judge."
    return ""


def _reached(one: Finding, unit: str) -> str:
    """Return whether the figure reaches the bound, and the figure alone: the plain fact."""
    if not isinstance(one.reached, str) or not one.reached:
        return MISSING
    nan = float("nan")
    return f"{one.reached}: {_shown(Interval(one.value, nan, nan), unit)}"


def _shown(figure: Interval, unit: str) -> str:
    """Return a figure with its interval; a loss has none."""
    if unit == LOSS:
        return number(figure.value, 2)
    scale, digits, behind = _SHOWN[unit]
    value, low, high = (scale * part for part in figure)
    text = with_interval(value, low, high, digits)
    if math.inf in (abs(value), abs(low), abs(high)):
        text = f"{_end(value, digits)} [{_end(low, digits)}, {_end(high, digits)}]"
    return text if text == MISSING else f"{text}{behind}"


def _end(value: float, digits: int) -> str:
    """Return an end of an interval, or on which side of the tested range it lies."""
    if math.isinf(value):
        return "> tested" if value > 0 else "< tested"
    return number(value, digits)
