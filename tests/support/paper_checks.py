"""Checks of a paper's folder: its numbers stand in the tables, and stock LaTeX takes it."""

import csv
import re
import shutil
import subprocess

import pytest

PDFLATEX = shutil.which("pdflatex")
needs_pdflatex = pytest.mark.skipif(
    not PDFLATEX,
    reason="no pdflatex here: apt-get install texlive-latex-recommended texlive-fonts-recommended",
)
LINE = re.compile(r"\\newcommand\{\\([A-Za-z]+)\}\{(.*)\} % (\S+) \[(.*)\] (\S+)(?: x (\S+))?")
COMPLAINTS = re.compile(
    r"Overfull|undefined|multiply|Float too large|Missing character|^!|Rerun to get|Font Warning"
)


def numbers(folder):
    """Return (macro, LaTeX, table, where, column, scale) of every line of numbers.tex."""
    lines = (folder / "paper" / "numbers.tex").read_text().splitlines()[1:]
    return [LINE.fullmatch(line).groups() for line in lines]


def check_numbers(results):
    """Find every number of numbers.tex again in the CSV files, with nothing but the csv module."""
    tables = {}
    entries = numbers(results)
    for macro, latex, table, where, column, scale in entries:
        if table not in tables:
            with (results / table).open(newline="") as file:
                tables[table] = list(csv.DictReader(file))
        rows = tables[table]
        for condition in filter(None, where.split(";")):
            name, _, value = condition.partition("=")
            rows = [row for row in rows if row[name] == value]
        assert rows or column == "(rows)", (macro, where)
        check_number(macro, plain(latex), rows, column, float(scale or 1))
    return len(entries)


def check_number(macro, text, rows, column, scale):
    if column == "(rows)":
        assert int(text) == len(rows), macro
        return
    written = rows[0][column]
    if column == "verdict":
        assert text == written, macro
        return
    stem = re.sub(r"_db(_low|_high)?$", "", column)
    censored = rows[0].get(f"{stem}_censored", "")
    if column in ("p", "p_holm", "auc_p", "auc_p_holm") and text[0] == "<":
        assert float(written) < float(text[1:]), macro
    elif text[0] in "<>":
        beyond = {"-inf": "<", "inf": ">"}.get(written, censored)
        assert text[0] == beyond, macro
    elif text == "undefined":
        assert censored == "undefined", macro
    elif text == "--":
        assert written in ("", "nan") or censored == "undefined", macro
    else:
        decimals = len(text.partition(".")[2])
        step = 10**-decimals if "." in text or abs(float(text)) < 1000 else 1
        assert abs(float(text) - scale * float(written)) <= step / 2 + 1e-9, macro


def plain(latex):
    """Return a number of LaTeX as Python reads it."""
    text = latex.removeprefix(r"\ensuremath{").removesuffix("}") if "ensure" in latex else latex
    return text.replace("{,}", "").replace("$", "")


def typeset(folder):
    """Run stock pdflatex twice over a copy of a paper folder, and return what it complains of."""
    for _ in range(2):
        done = subprocess.run(
            [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2000:]
    log = (folder / "main.log").read_text(errors="replace")
    return [line for line in log.splitlines() if COMPLAINTS.search(line)]
