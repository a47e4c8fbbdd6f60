"""Tables of text as Markdown and as LaTeX."""

import re
from collections.abc import Iterable

import pandas as pd

from speechdt.instrument import STAMP

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "±": r"$\pm$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
        "×": r"$\times$",
        "·": r"$\cdot$",
        "→": r"$\rightarrow$",
        "κ": r"$\kappa$",
        "λ": r"$\lambda$",
        "γ": r"$\gamma$",
        "ψ": r"$\psi$",
        "′": r"$'$",
        "∞": r"$\infty$",
        "—": "---",
        "†": r"$\dagger$",
        "‡": r"$\ddagger$",
        "§": r"\S{}",
        "¶": r"\P{}",
        "’": "'",
        "…": r"\dots{}",
        "<": "$<$",
        ">": "$>$",
        "–": "--",
        "“": "``",
        "”": "''",
        "θ": r"$\theta$",
        **{symbol: f"\\{symbol}" for symbol in "%&#_{}$"},
    }
)


_MARKS = re.compile(r"[\\`*|~]|\](?=[(\[])|<(?=[A-Za-z/!?])|(?<!\w)_|_(?!\w)")
"""What Markdown takes for marks: emphasis, code, links, HTML, columns."""


def markdown(table: pd.DataFrame, note: str) -> str:
    """Return a table of text as a Markdown pipe table, with a note below."""
    text = table.map(_plain)
    widths = [max(3, len(str(name)), *text[name].str.len()) for name in text]
    rows = [list(text), ["-" * width for width in widths], *text.to_numpy().tolist()]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    ]
    return "\n".join([*lines, "", note, "", f"<!-- {STAMP} -->", ""])


def _plain(cell: str) -> str:
    """Return text that Markdown shows as it is; names of backends and models may be anything."""
    return _MARKS.sub(r"\\\g<0>", " ".join(cell.split("\n")))


def escape(text: str) -> str:
    """Return plain text as LaTeX."""
    return text.translate(_LATEX)


def latex(table: pd.DataFrame, note: str, *, labels: int = 1) -> str:
    """Return a table of text as a LaTeX tabular that needs the packages booktabs and dcolumn.

    Numbers are aligned at their decimal points. Intervals, and whatever else stands in brackets
    behind a number, stand in small type below it, units below the headings, so that a dozen columns
    fit a page of two columns in ``\\footnotesize``.

    Parameters
    ----------
    table : DataFrame
        Cells such as ``85.6 [81.0, 90.1]``, headings such as ``DT75 (dB)``.
    note : str
        For the caption; written as a comment.
    labels : int
        How many columns at the left hold names.
    """
    headings = [split(str(name)) for name in table]
    rows = [
        [(cell, "") if at < labels else split(cell) for at, cell in enumerate(row)]
        for row in table.to_numpy().tolist()
    ]
    columns = zip(*rows, strict=True) if rows else [()] * (table.shape[1])
    kinds = ["l" if at < labels else _aligned(column) for at, column in enumerate(columns)]
    lines = [
        f"% {note}",
        f"% {STAMP}",
        rf"\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}",
        r"\toprule",
        _row(_text(name, kind) for (name, _), kind in zip(headings, kinds, strict=True)),
    ]
    if any(unit for _, unit in headings):
        lines.append(
            _row(_text(unit, kind) for (_, unit), kind in zip(headings, kinds, strict=True))
        )
    lines.append(r"\midrule")
    for row in rows:
        lines.append(_row(_cell(value, kind) for (value, _), kind in zip(row, kinds, strict=True)))
        if any(small for _, small in row):
            below = zip(row, kinds, strict=True)
            lines.append(_row(_text(small, kind, r"\scriptsize ") for (_, small), kind in below))
        lines[-1] += "[2pt]"
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


_NUMBER = re.compile(r"−?([\d,]+)(?:\.(\d+))?")


def split(cell: str) -> tuple[str, str]:
    """Return a cell's number or name, and what stands in brackets behind it."""
    at = min((place for mark in (" [", " (") if (place := cell.find(mark)) > 0), default=len(cell))
    return cell[:at], cell[at + 1 :]


def _aligned(column: Iterable[tuple[str, str]]) -> str:
    """Return the kind of column that holds so many digits on either side of the point."""
    numbers = [_NUMBER.fullmatch(value) for value, _ in column]
    whole = [len(match[0].partition(".")[0]) for match in numbers if match]
    decimals = [len(match[2] or "") for match in numbers if match]
    return f"D{{.}}{{.}}{{{max(whole)}.{max(decimals)}}}" if whole else "c"


def _cell(value: str, kind: str) -> str:
    """Return a value: a number as it is where the column aligns it, else text."""
    if kind.startswith("D") and _NUMBER.fullmatch(value):
        return value.replace("−", "-").replace(",", "{,}")
    return _text(value, kind)


def _text(text: str, kind: str, size: str = "") -> str:
    """Return text; centred over the column where that aligns numbers."""
    if not text:
        return ""
    written = f"{{{size}{escape(text)}}}" if size else escape(text)
    return rf"\multicolumn{{1}}{{c}}{{{written}}}" if kind.startswith("D") else written


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
