"""The verdict as people read it: tables of text, and the page ``tables/verdict.md``."""

from collections.abc import Sequence

import pandas as pd

from speechdt.reporting.tables.formatting import MISSING, model_notes, number, with_interval
from speechdt.reporting.tables.markup import markdown
from speechdt.reporting.tables.verdict import (
    Finding,
    Interval,
    Run,
    Step,
    decide,
    findings,
    overall,
)

NOTE = (
    "Met: the whole 95 % interval (over groups) lies on the good side of the bound; not met: on "
    "the other side; undecided: the bound lies within it; not run: there is no figure. In percent, "
    "and in points for differences."
)


def findings_table(found: Sequence[Finding]) -> pd.DataFrame:
    """Return one row a criterion."""
    rows = [
        {
            "Level": one.level,
            "Criterion": one.criterion,
            "Variant": one.variant or MISSING,
            "Measured": _measured(one),
            "Verdict": one.verdict,
            "Note": one.note,
        }
        for one in found
    ]
    return pd.DataFrame(rows, dtype=str)


def tree_table(steps: Sequence[Step]) -> pd.DataFrame:
    """Return one row a question of the decision tree that was reached."""
    rows = [
        {
            "Question": step.question,
            "Variant": step.variant,
            "Measured": _percent(step.figure),
            "Answer": {"met": "yes", "not met": "no"}.get(step.verdict, step.verdict),
            "What the plan says to do": step.then,
        }
        for step in steps
    ]
    return pd.DataFrame(rows, dtype=str)


def page(run: Run) -> str:
    """Return ``verdict.md``: stand-ins first, then levels, criteria, early phases and the tree."""
    found, steps = findings(run), decide(run)
    levels = pd.DataFrame(
        [{"Level": level, "Verdict": verdict} for level, verdict in overall(found).items()],
        dtype=str,
    )
    judged = "None of the plan's variants was run: there is nothing to judge."
    if run.variant:
        judged = (
            f"Judged: {run.variant}. It is the variant furthest along the plan, fixed before any "
            "figure was seen."
        )
    notes = "\n\n".join(f"**{note}**" for note in model_notes(run.matrix))
    parts = [
        "# Verdict",
        notes,
        judged,
        "## By level",
        markdown(levels, "What only a reader can judge is left out.").strip(),
        "## Criteria",
        markdown(findings_table(found), NOTE).strip(),
        "## Decision tree",
        markdown(tree_table(steps), f"Next: {steps[-1].then}.").strip(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _measured(one: Finding) -> str:
    if one.criterion.startswith("training loss"):
        return number(one.value, 2)
    return _percent(Interval(one.value, one.low, one.high))


def _percent(figure: Interval) -> str:
    value, low, high = (100 * part for part in figure)
    return with_interval(value, low, high)
