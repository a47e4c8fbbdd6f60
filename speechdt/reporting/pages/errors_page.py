"""The errors page: failures to listen to, and tables of the error rates."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from speechdt.reporting.pages.clip_player import SCRIPT, STYLE
from speechdt.reporting.pages.environment import template
from speechdt.reporting.pages.errors_cards import (
    Card,
    beside,
    cards,
    choose,
    embedded,
    read_clips,
)
from speechdt.reporting.pages.parts import Table
from speechdt.reporting.tables import error_rates_text as tables
from speechdt.reporting.tables import skill
from speechdt.reporting.tables.formatting import minus, model_notes
from speechdt.statistics.error_rates import ERRORS, Answers

FACTORS = {
    "category": ("Category", "category", ""),
    "snr_db": ("SNR", "SNR", "dB"),
    "duration_ms": ("Duration", "duration", "ms"),
    "background": ("Background", "background", ""),
    "language": ("Language", "language", ""),
}
"""Factors of the tables of error rates: heading, name and unit of the levels."""
FIRST = 12
"""Cards that stand on the page before one asks for more."""


def page(
    answers: Answers,
    error_tables: Mapping[str, pd.DataFrame],
    *,
    cells: Sequence[Path | str],
    clean: Path | str,
    clean_ms: int,
    thresholds: Mapping[str, float],
    most: int,
    folder: Path | None = None,
) -> str:
    """Return the page, and write its clips into a folder, if one is given.

    Parameters
    ----------
    answers : Answers
        Of all variants on test.
    error_tables : mapping of str to DataFrame
        Tables errors, errors_common, errors_pairs, error_sources and matrix.
    cells : sequence of paths
        Cell files that hold the trials.
    clean : path
        The cell file of the targets without noise.
    clean_ms : int
        Duration of these.
    thresholds : mapping of str to float
        Decision threshold of each variant, in the order of a card.
    most : int
        Failures on the page.
    folder : Path or None
        Where the clips go; without one the page itself holds them.
    """
    chosen = choose(answers, error_tables["error_sources"], most)
    clips = read_clips(answers, chosen, cells, clean)
    media = beside(clips, folder) if folder else embedded(clips)
    made = cards(answers, chosen, media, thresholds=thresholds, clean_ms=clean_ms)
    return render(answers, made, media.audio, error_tables, model_notes(error_tables["matrix"]))


def render(
    answers: Answers,
    cards: Sequence[Card],
    addresses: Mapping[str, str],
    error_tables: Mapping[str, pd.DataFrame],
    notes: Sequence[str],
) -> str:
    """Return the page.

    Parameters
    ----------
    answers : Answers
    cards : sequence of Card
        In the order of the page.
    addresses : mapping of str to str
        Audio of the clips, from `embedded` or `beside`.
    error_tables : mapping of str to DataFrame
        Tables errors, errors_common, errors_pairs and error_sources.
    notes : sequence of str
        Sentences that must stand beside the figures of stand-in models.
    """
    variants = [str(name) for name in answers.wrong]
    return template("errors.html.j2").render(
        cards=cards,
        first=FIRST,
        # Inside a script element only "</" could end it early.
        addresses=json.dumps(dict(addresses)).replace("</", "<\\/"),
        **failures(answers, error_tables.get("matrix")),
        trials=len(answers.wrong),
        variants=variants,
        choices=choices(cards),
        breakdowns=breakdowns(error_tables["errors"]),
        source_tables=source_tables(error_tables["error_sources"]),
        common_tables=common_tables(
            error_tables["errors_common"], error_tables["errors_pairs"], variants
        ),
        notes=notes,
        style=STYLE,
        script=SCRIPT,
    )


def failures(answers: Answers, matrix: pd.DataFrame | None) -> dict[str, Any]:
    """Return how many trials are decided wrongly by at least one detector that is told apart.

    A detector that gives one answer to everything, or is below chance on dev, errs on half of the
    trials or more, and would make nearly every trial one that somebody decides wrongly.

    Returns
    -------
    dict
        failures; judged, the detectors that count; and passed_over, what is said of the others, by
        name. All count where none has skill.
    """
    variants = [str(name) for name in answers.wrong]
    remarks = {} if matrix is None else skill.unskilled(matrix)
    passed_over = {name: remarks[name] for name in variants if name in remarks}
    if len(passed_over) == len(variants):
        passed_over = {}
    judged = [name for name in variants if name not in passed_over]
    count = int(answers.wrong[judged].any(axis=1).sum())
    return {"failures": count, "judged": judged, "passed_over": passed_over}


def choices(cards: Sequence[Card]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the filters of the page: name, label, and values with their texts."""
    categories = sorted({card.trial["category"] for card in cards})
    values = {
        ("error", "Error"): list(ERRORS.values()),
        ("snr", "SNR (dB)"): _levels(cards, "snr_db"),
        ("duration", "Duration (ms)"): _levels(cards, "duration_ms"),
        ("category", "Category"): categories,
    }
    return [
        (*key, [(value, minus(value) if key[0] == "snr" else value) for value in of])
        for key, of in values.items()
    ]


def _levels(cards: Sequence[Card], name: str) -> list[str]:
    return [f"{level:g}" for level in sorted({float(card.trial[name]) for card in cards})]


def breakdowns(rates: pd.DataFrame) -> list[Table]:
    """Return a table for each error and factor that has more than one level, then speakers."""
    made = []
    for error in ERRORS.values():
        for by, (heading, called, unit) in FACTORS.items():
            cells = tables.rate_table(rates, error, by, heading, unit)
            if len(cells) > 1:
                name = f"{error}-{by}".replace(" ", "-").replace("_", "-")
                made.append(Table(name, f"{error.capitalize()} (%) by {called}.", cells))
    speakers = tables.worst_first(rates, tables.MISSED, "group_id")
    if len(speakers):
        cells = tables.rate_table(speakers, tables.MISSED, "group_id", "Speaker")
        caption = "Missed (%) by speaker, worst first; intervals over the speaker's recordings."
        made.append(Table("missed-speaker", caption, cells))
    return made


def source_tables(sources: pd.DataFrame) -> list[Table]:
    """Return the recordings of each class that are most often decided wrongly."""
    captions = {
        tables.FALSE_ALARM: "Recordings that draw most false alarms: percent of their trials, "
        "as the mean of all variants and of each; excess: over the mean of their class.",
        tables.MISSED: "Recordings that are missed most: the same.",
    }
    made = []
    for error, caption in captions.items():
        cells = tables.source_table(sources, error)
        if len(cells):
            made.append(Table(f"sources-{error}".replace(" ", "-"), caption, cells))
    return made


def common_tables(
    common: pd.DataFrame, pairs: pd.DataFrame, variants: Sequence[str]
) -> list[Table]:
    """Return the tables that set common errors apart from those of one variant."""
    made = [
        Table(
            "wrong-by",
            "Percent of trials that so many variants get wrong.",
            tables.wrong_by_table(common),
        ),
        Table(
            "alone",
            "Errors of each variant, and which share of them no other or every variant makes.",
            tables.common_table(common),
        ),
    ]
    if len(variants) > 1:
        caption = (
            "Error consistency (Cohen's κ of right and wrong): 1 if two variants err on the same "
            "trials, 0 if only as often on the same ones as by chance."
        )
        made.append(Table("consistency", caption, tables.pairs_table(pairs, variants)))
    return made
