"""Tables of text as Markdown and as LaTeX."""

from collections.abc import Iterable

import pandas as pd

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "<": "$<$",
        ">": "$>$",
        "–": "--",
        "“": "``",
        "”": "''",
        "θ": r"$\theta$",
        **{symbol: f"\\{symbol}" for symbol in "%&#_{}$"},
    }
)


def markdown(table: pd.DataFrame, note: str) -> str:
    """Return a table of text as a Markdown pipe table, with a note below."""
    text = table.map(lambda cell: cell.replace("|", "\\|"))
    widths = [max(3, len(str(name)), *text[name].str.len()) for name in text]
    rows = [list(text), ["-" * width for width in widths], *text.to_numpy().tolist()]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    ]
    return "\n".join([*lines, "", note, ""])


def latex(table: pd.DataFrame, note: str, *, labels: int = 1) -> str:
    """Return a table of text as a LaTeX tabular that needs the package booktabs alone.

    Intervals stand in small type below their numbers, units below the headings, so that a dozen
    columns fit a page of two columns in ``\\footnotesize``.

    Parameters
    ----------
    table : DataFrame
        Cells such as ``85.6 [81.0, 90.1]``, headings such as ``DT75 (dB)``.
    note : str
        For the caption; written as a comment.
    labels : int
        How many columns at the left hold names; the others are centred.
    """
    headings = [str(name).partition(" (") for name in table]
    lines = [
        f"% {note}",
        r"\begin{tabular}{@{}" + "l" * labels + "c" * (table.shape[1] - labels) + "@{}}",
        r"\toprule",
        _row(name for name, _, _ in headings),
    ]
    if any(unit for _, _, unit in headings):
        lines.append(_row(unit and f"({unit}" for _, _, unit in headings))
    lines.append(r"\midrule")
    for row in table.to_numpy().tolist():
        cells = [cell.partition(" [") for cell in row]
        lines.append(_row(value for value, _, _ in cells))
        if any(interval for _, _, interval in cells):
            below = (interval and f"[{interval}" for _, _, interval in cells)
            lines.append(_row(below, small=True))
        lines[-1] += "[2pt]"
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _row(cells: Iterable[str], *, small: bool = False) -> str:
    written = [cell.translate(_LATEX) for cell in cells]
    if small:
        written = [rf"{{\scriptsize {cell}}}" if cell else "" for cell in written]
    return " & ".join(written) + r" \\"
