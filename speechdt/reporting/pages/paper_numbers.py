r"""Numbers for the text of a paper: a LaTeX macro and the source of each.

A macro's name is made of letters, as LaTeX wants it: the variant with its digits in words, then
what was measured, then nothing, ``Low`` or ``High``: ``\AOneBalancedAccuracy``,
``\AOneBalancedAccuracyLow``.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from speechdt.errors import SpeechdtError
from speechdt.reporting.tables.formatting import (
    MISSING,
    Range,
    Threshold,
    level,
    number,
    significant,
    tested_ranges,
)
from speechdt.reporting.tables.markup import escape
from speechdt.reporting.tables.statistics_text import p_value

DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
ENDS = {"": "", "_low": "Low", "_high": "High"}
PERCENTS = {
    **{"accuracy": "Accuracy", "balanced_accuracy": "BalancedAccuracy"},
    **{"speech_accuracy": "SpeechAccuracy", "nonspeech_accuracy": "NonspeechAccuracy"},
    **{"clean_accuracy": "CleanAccuracy"},
}
"""Columns of the matrix that are quoted in percent with one decimal."""
DECIMALS = {
    **{"auc": "Auc", "ece": "Ece", "ece_platt": "EcePlatt"},
    **{"brier": "Brier", "confidence_gap": "ConfidenceGap"},
}
"""Columns of the matrix that are quoted with three decimals."""
THRESHOLDS = {
    **{"dt50_roc10": "DtFiftyMatched", "dt75_roc10": "DtSeventyFiveMatched"},
    **{"dt50": "DtFifty", "dt75": "DtSeventyFive", "dt75_far10": "DtSeventyFiveFar"},
    **{"auc75": "AucSeventyFive", "accuracy75": "AccuracySeventyFive"},
}
"""Thresholds of the matrix, in dB."""
LATENCIES = {
    **{"latency_p50_ms": "LatencyMedian", "latency_p95_ms": "LatencyNinetyFifth"},
    **{"throughput_clips_s": "Throughput", "load_s": "LoadSeconds"},
}
"""Columns of the latency table, quoted with three significant digits."""
KNOWING = {"in_domain": "InDomain", "left_out": "LeftOut", "difference": "Difference"}
"""Columns by which a left-out corpus is compared."""
OUTCOMES = {
    **{"supported": "Supported", "refuted": "Refuted", "undecided": "Undecided"},
    **{"met": "Met", "not met": "NotMet"},
    **{"not run": "NotRun", "needs human judgement": "ForReader"},
}
"""Verdicts on the plan's criteria."""


class Quoted(NamedTuple):
    """A number for the text.

    Attributes
    ----------
    macro : str
        Its name, without the backslash.
    text : str
        As it stands in the text, plain.
    table : str
        CSV file of the results that it came from, such as ``tables/matrix.csv``.
    where : str
        ``column=value`` of its row, joined by ``;``; empty for the first row.
    column : str
        Its column; ``(rows)`` if it counts the rows.
    scale : float
        What the table's number was multiplied by.
    """

    macro: str
    text: str
    table: str
    where: str
    column: str
    scale: float = 1.0


def quoted(tables: Mapping[str, pd.DataFrame]) -> list[Quoted]:
    """Return every number that a text may quote.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        matrix, metrics, curves, latency, comparisons and errors; and searches, order_bias, verdict
        and leave_one_out, if there are any.

    Raises
    ------
    SpeechdtError
        If two variants would have macros of the same name.
    """
    quotes = [
        *_run(tables),
        *_matrix(tables["matrix"], tested_ranges(tables["curves"]).get("snr")),
        *_latency(tables["latency"]),
        *_contrasts(tables["comparisons"]),
        *_errors(tables["errors"]),
    ]
    for name, numbers in OPTIONAL.items():
        if name in tables:
            quotes += numbers(tables[name])
    by_macro: dict[str, Quoted] = {}
    for one in quotes:
        if by_macro.setdefault(one.macro, one) is not one:
            other = by_macro[one.macro].where
            raise SpeechdtError(f"variants: {other} and {one.where} give one macro, \\{one.macro}")
    return quotes


def _run(tables: Mapping[str, pd.DataFrame]) -> Iterator[Quoted]:
    """Yield the size of the test: variants, trials, groups, levels."""
    matrix, metrics = tables["matrix"], tables["metrics"]
    yield Quoted("Variants", f"{len(matrix)}", "tables/matrix.csv", "", "(rows)")
    yield Quoted("Trials", f"{matrix['n'].iloc[0]:,}", "tables/matrix.csv", "", "n")
    overall = metrics[metrics["by"] == "all"].iloc[0]
    yield Quoted("Groups", f"{overall['groups']:,}", "tables/metrics.csv", "by=all", "groups")
    for by, name in (("snr_db", "Snr"), ("duration_ms", "Duration")):
        levels = sorted(set(metrics.loc[metrics["by"] == by, "level"].astype(float)))
        for end, at in (("Lowest", levels[0]), ("Highest", levels[-1])):
            where = f"by={by};level={at:g}"
            text = number(at, 0 if at == round(at) else 1)
            yield Quoted(f"{name}{end}", text, "tables/metrics.csv", where, "level")


def _matrix(matrix: pd.DataFrame, tested: Range | None) -> Iterator[Quoted]:
    for _, row in matrix.iterrows():
        where, name = f"variant={row['variant']}", camel(row["variant"])
        for columns, scale, digits in ((PERCENTS, 100.0, 1), (DECIMALS, 1.0, 3)):
            for column, called in columns.items():
                for end, tail in ENDS.items():
                    text = number(scale * float(row[f"{column}{end}"]), digits)
                    at = (where, f"{column}{end}", scale)
                    yield Quoted(f"{name}{called}{tail}", text, "tables/matrix.csv", *at)
        if tested:
            for stem, called in THRESHOLDS.items():
                yield from _threshold(row, stem, f"{name}{called}", where, tested)


def _threshold(row: Any, stem: str, macro: str, where: str, tested: Range) -> Iterator[Quoted]:
    threshold = Threshold.of(row, stem, "_db")
    undefined = threshold.censored == "undefined"
    low, middle, high = threshold.bounds
    for (end, tail), bound in zip(ENDS.items(), (middle, low, high), strict=True):
        text = "undefined" if undefined and not end else MISSING if undefined else ""
        text = text or level(bound, tested)
        yield Quoted(f"{macro}{tail}", text, "tables/matrix.csv", where, f"{stem}_db{end}")


def _latency(latency: pd.DataFrame) -> Iterator[Quoted]:
    for _, row in latency.iterrows():
        for column, called in LATENCIES.items():
            text = significant(float(row[column]))
            at = (f"variant={row['variant']}", column)
            yield Quoted(f"{camel(row['variant'])}{called}", text, "tables/latency.csv", *at)


def _contrasts(comparisons: pd.DataFrame) -> Iterator[Quoted]:
    """Yield the contrasts that were planned, and those beside them: AUC, percentage points, p."""
    for _, row in comparisons[comparisons["family"] != ""].iterrows():
        name = f"{camel(row['variant'])}Minus{camel(row['reference'])}"
        at = ("tables/comparisons.csv", f"variant={row['variant']};reference={row['reference']}")
        for end, tail in ENDS.items():
            text = number(100 * float(row[f"difference{end}"]), 1)
            yield Quoted(f"{name}{tail}", text, *at, f"difference{end}", 100.0)
            text = number(float(row[f"auc_difference{end}"]), 3)
            yield Quoted(f"{name}Auc{tail}", text, *at, f"auc_difference{end}")
        tests = {"p": "P", "p_holm": "PHolm", "auc_p": "AucP", "auc_p_holm": "AucPHolm"}
        for column, tail in tests.items():
            yield Quoted(f"{name}{tail}", p_value(float(row[column])), *at, column)


def _errors(errors: pd.DataFrame) -> Iterator[Quoted]:
    """Yield false alarms by category."""
    part = errors[(errors["error"] == "false alarm") & (errors["by"] == "category")]
    for _, row in part.iterrows():
        where = f"variant={row['variant']};error=false alarm;by=category;level={row['level']}"
        for end, tail in ENDS.items():
            column = f"rate{end}" if not end else end.removeprefix("_")
            macro = f"{camel(row['variant'])}FalseAlarms{camel(row['level'])}{tail}"
            text = number(100 * float(row[column]), 1)
            yield Quoted(macro, text, "tables/errors.csv", where, column, 100.0)


def _searches(searches: pd.DataFrame) -> Iterator[Quoted]:
    """Yield the gain of each prompt search over random search and baseline, on test and on dev."""
    for _, row in searches.iterrows():
        pair = [camel(row[name]) for name in ("prompt", "reference")]
        name = f"Search{camel(row['search'])}{pair[0]}Minus{pair[1]}"
        where = ";".join(f"{key}={row[key]}" for key in ("search", "prompt", "reference"))
        at = ("tables/searches.csv", where)
        points = {f"difference{end}": tail for end, tail in ENDS.items()}
        for column, tail in (points | {"difference_dev": "Dev", "gap": "Gap"}).items():
            text = number(100 * float(row[column]), 1)
            yield Quoted(f"{name}{tail}", text, *at, column, 100.0)
        for column, tail in (("p", "P"), ("p_holm", "PHolm")):
            yield Quoted(f"{name}{tail}", p_value(float(row[column])), *at, column)
        for end, tail in ENDS.items():
            column = f"log_loss_gain{end}"
            yield Quoted(f"{name}LogLoss{tail}", number(float(row[column]), 3), *at, column)
        yield Quoted(f"{name}Verdict", str(row["verdict"]), *at, "verdict")


def _order_bias(biases: pd.DataFrame) -> Iterator[Quoted]:
    """Yield by how much the order of the options favours SPEECH, and how many answers it turns."""
    for _, row in biases.iterrows():
        at = ("tables/order_bias.csv", f"variant={row['variant']}")
        name = f"{camel(row['variant'])}Order"
        for column, tail in (("bias", "Bias"), ("bias_sd", "BiasSd")):
            yield Quoted(f"{name}{tail}", number(float(row[column]), 2), *at, column)
        yield Quoted(
            f"{name}Flipped", number(100 * float(row["flipped"]), 1), *at, "flipped", 100.0
        )


def _verdict(verdict: pd.DataFrame) -> Iterator[Quoted]:
    """Yield the outcome of each criterion, numbered within its level, and how many had which."""
    for level_name, rows in verdict.groupby("level", sort=False):
        name = f"Verdict{camel(str(level_name))}"
        for place, (_, row) in enumerate(rows.iterrows(), start=1):
            where = f"level={level_name};criterion={row['criterion']}"
            at = ("tables/verdict.csv", where, "verdict")
            yield Quoted(f"{name}{camel(str(place))}", str(row["verdict"]), *at)
        for outcome, called in OUTCOMES.items():
            count = int((rows["verdict"] == outcome).sum())
            at = ("tables/verdict.csv", f"level={level_name};verdict={outcome}", "(rows)")
            yield Quoted(f"{name}{called}", f"{count}", *at)


def _left_out(left_out: pd.DataFrame) -> Iterator[Quoted]:
    """Yield figures on each corpus of variants that know it and of those that do not."""
    for _, row in left_out[left_out["metric"] != ""].iterrows():
        keys = ("variant", "corpus", "metric")
        at = ("tables/leave_one_out.csv", ";".join(f"{key}={row[key]}" for key in keys))
        name = f"{camel(row['variant'])}On{camel(row['corpus'])}{camel(row['metric'])}"
        scale, digits = (1.0, 3) if row["metric"] == "auc" else (100.0, 1)
        for stem, called in KNOWING.items():
            for end, tail in ENDS.items():
                text = number(scale * float(row[f"{stem}{end}"]), digits)
                yield Quoted(f"{name}{called}{tail}", text, *at, f"{stem}{end}", scale)


OPTIONAL: dict[str, Callable[[pd.DataFrame], Iterator[Quoted]]] = {
    "searches": _searches,
    "order_bias": _order_bias,
    "verdict": _verdict,
    "leave_one_out": _left_out,
}
"""Tables that a run may have, and what is quoted of them."""


def camel(name: str) -> str:
    """Return a name as letters alone: ``A1`` is ``AOne``, ``small_model`` is ``SmallModel``."""
    words = re.findall(r"[A-Za-z]+|\d", str(name))
    return "".join(DIGITS[int(w)] if w.isdigit() else w[0].upper() + w[1:] for w in words)


def macros(numbers: list[Quoted]) -> str:
    """Return numbers.tex: one macro a line, and behind it where its number came from."""
    lines = ["% Made by the workflow; every number stands in the table that is named behind it."]
    for one in numbers:
        scaled = f" x {one.scale:g}" if not math.isclose(one.scale, 1.0) else ""
        source = f"{one.table} [{one.where}] {one.column}{scaled}"
        lines.append(f"\\newcommand{{\\{one.macro}}}{{{_in_text(one.text)}}} % {source}")
    return "\n".join([*lines, ""])


def _in_text(text: str) -> str:
    """Return a number as LaTeX, in text or in formulas."""
    if not re.search(r"[−<>,]", text):
        return escape(text)
    return r"\ensuremath{" + text.replace("−", "-").replace(",", "{,}") + "}"


def as_table(numbers: list[Quoted]) -> pd.DataFrame:
    """Return numbers.csv: macro, text, table, where, column, scale."""
    return pd.DataFrame(numbers, columns=list(Quoted._fields))
