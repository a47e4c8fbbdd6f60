"""Skill of a detector on dev: AUC with its interval, and marks for rows at or below chance.

The AUC on dev and its interval over groups stand in ``calibration/{variant}.json`` and in the
columns `COLUMNS` of ``matrix.csv``. A detector whose interval lies below 0.5 ranks the classes the
wrong way round, which no threshold mends: its answers are exchanged, or it hears something else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

COLUMNS = ("dev_auc", "dev_auc_low", "dev_auc_high")
CHANCE = 0.5
ROUNDING = 1e-9
"""How far from chance an AUC may lie by rounding alone."""
LEAST_MASS = 0.5
"""Probability of both answers together below which log-odds compare what is mostly not said."""
WORSE, NONE, CONSTANT = "†", "‡", "§"
"""Marks behind a variant's name: worse than chance, no skill, and one answer to every clip."""
WORDS = {
    WORSE: "below chance on dev",
    NONE: "no skill shown on dev",
    CONSTANT: "gives one answer to every clip",
}
"""What each mark says."""
RECALLS = ("recall_speech", "recall_nonspeech")


def mark(row: Any) -> str:
    """Return the mark of a row of the matrix: `WORSE`, `NONE`, or nothing if it has skill.

    Nothing as well where there is no interval, since a class has one group only. One answer to
    every clip of test is what `CONSTANT` marks, unless the detector is worse than chance, too.
    """
    _, low, high = (float(row[name]) for name in COLUMNS)
    if high < CHANCE - ROUNDING:
        return WORSE
    if constant(row):
        return CONSTANT
    return NONE if low <= CHANCE + ROUNDING else ""


def constant(row: Any) -> bool:
    """Say whether a row of the matrix gives one answer to every clip, at its threshold."""
    if not set(RECALLS) <= set(row.keys()):
        return False
    return sorted(float(row[name]) for name in RECALLS) == [0.0, 1.0]


def unskilled(matrix: pd.DataFrame) -> dict[str, str]:
    """Return what is to be said of the variants that are constant or below chance, by variant."""
    if not set(COLUMNS) <= set(matrix):
        return {}
    marks = {str(row["variant"]): mark(row) for _, row in matrix.iterrows()}
    return {name: WORDS[sign] for name, sign in marks.items() if sign in (WORSE, CONSTANT)}


def words(matrix: pd.DataFrame) -> dict[str, str]:
    """Return what the mark of each marked variant says, by variant."""
    if not set(COLUMNS) <= set(matrix):
        return {}
    marks = {str(row["variant"]): mark(row) for _, row in matrix.iterrows()}
    return {name: WORDS[sign] for name, sign in marks.items() if sign}


def sentences(matrix: pd.DataFrame) -> list[str]:
    """Return a sentence for each mark, with the variants that have it."""
    remarks = words(matrix)
    lines = []
    for word in WORDS.values():
        names = [name for name, own in remarks.items() if own == word]
        if names:
            lines.append(f"{', '.join(names)}: {word}.")
    return lines


def marked(cells: pd.DataFrame, matrix: pd.DataFrame) -> pd.DataFrame:
    """Return a table of text whose column of variants bears the marks of the matrix."""
    if "Variant" not in cells or not set(COLUMNS) <= set(matrix):
        return cells
    names = {str(row["variant"]): f"{row['variant']} {mark(row)}" for _, row in matrix.iterrows()}
    with_mark = {name: text.rstrip() for name, text in names.items()}
    return cells.assign(Variant=cells["Variant"].map(lambda name: with_mark.get(name, name)))


def mean_auc(calibrations: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the columns `COLUMNS` of a variant.

    Parameters
    ----------
    calibrations : sequence of mappings
        Content of ``calibration/….json`` of each of its training runs. Of several the means are
        taken, of values and of bounds, so that the spread between runs is in neither.
    """
    values = [[one["auc"], one["auc_low"], one["auc_high"]] for one in calibrations]
    mean = pd.DataFrame(values, columns=COLUMNS, dtype=float).mean(skipna=False)
    return {name: float(mean[name]) for name in COLUMNS}


def notes(matrix: pd.DataFrame) -> list[str]:
    """Return a sentence for the variants of each mark, such as stands beside the matrix."""
    lines = []
    for sign, what, end in (
        (WORSE, "worse than chance on dev", _question),
        (CONSTANT, "the same answer to every test clip", _one_answer),
        (NONE, "no skill shown on dev", lambda rows: "the interval holds 0.5, which is chance."),
    ):
        rows = [row for _, row in matrix.iterrows() if mark(row) == sign]
        if rows:
            names = ", ".join(f"{row['variant']} {sign}" for row in rows)
            lines.append(f"{names} — {what} ({_figures(rows)}): {end(rows)}")
    return lines


def warning(matrix: pd.DataFrame, variants: Iterable[str]) -> str:
    """Return lines for the terminal on variants that are worse than chance or constant, or ''.

    Parameters
    ----------
    matrix : DataFrame
        The comparison matrix; one of before there was an AUC on dev says nothing.
    variants : iterable of str
        Those that are asked about.
    """
    asked = set(variants) if set(COLUMNS) <= set(matrix) else set()
    rows = [row for _, row in matrix.iterrows() if row["variant"] in asked]
    worse, same = ([row for row in rows if mark(row) == sign] for sign in (WORSE, CONSTANT))
    lines = []
    if worse:
        lines.append(f"warning: worse than chance on dev ({_figures(worse)}): {_question(worse)}")
    if same:
        names = ", ".join(str(row["variant"]) for row in same)
        lines.append(f"warning: the same answer to every test clip: {names}")
    return "\n".join(lines)


def mass_warning(biases: pd.DataFrame) -> str:
    """Return a line that names the variants that would rather answer otherwise than A or B, or ''.

    Parameters
    ----------
    biases : DataFrame
        ``order_bias.csv``: variant and answer_mass.
    """
    if "answer_mass" not in biases:
        return ""
    low = biases[biases["answer_mass"] < LEAST_MASS]
    shares = ", ".join(
        f"{name} {100 * mass:.1f} %"
        for name, mass in zip(low["variant"], low["answer_mass"], strict=True)
    )
    return shares and (
        f"warning: on dev A and B together have little of the probability ({shares}): the model "
        "would rather say something else, and its scores mean little"
    )


def _question(rows: Sequence[Any]) -> str:
    return f"are {'its' if len(rows) == 1 else 'their'} answers exchanged?"


def _one_answer(rows: Sequence[Any]) -> str:
    return "at the threshold learned on dev no clip is told from another."


def _figures(rows: Sequence[Any]) -> str:
    texts = []
    for row in rows:
        value, low, high = (f"{float(row[name]):.3f}" for name in COLUMNS)
        texts.append(f"{row['variant']} {value} [{low}, {high}]")
    return f"AUC: {', '.join(texts)}"
