"""Detection thresholds along SNR and duration, and the trade between the two."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.formatting import DIMENSIONS, EXPLANATIONS
from speechdt.reporting.tables.statistics_text import trading_table
from speechdt.reporting.tables.thresholds_text import (
    HEADLINE,
    OWN,
    sliced_thresholds_table,
    thresholds_table,
)

AT = {HEADLINE: "at 10 % false alarms", OWN: "at the detector’s own threshold"}
"""How captions call the kinds of curve."""


def section(results: Results) -> Section:
    """Return the section."""
    every = thresholds_table(results.tables["thresholds"], results.ranges)
    caption = "Thresholds of every curve, with its guess and lapse rate."
    at_alarms, at_own = _sliced(results, HEADLINE), _sliced(results, OWN)
    content = {
        "thresholds": [_pooled(results), *at_alarms, *_trading(results)],
        "more_thresholds": [*at_own, *_by_background(results)],
        "all_thresholds": Table("all-thresholds", caption, every),
        "explanations": EXPLANATIONS,
    }
    return Section("thresholds", "Detection thresholds", content, link="Thresholds")


def _pooled(results: Results) -> Table:
    cells = thresholds_table(results.tables["thresholds"], results.ranges, pooled=True)
    return Table("pooled-thresholds", "Thresholds over all durations and over all SNRs.", cells)


def _sliced(results: Results, kind: str) -> list[Table]:
    """Return DT75 of a kind of curve along each dimension by level of the other."""
    made = []
    for dimension, other in (("snr", "duration"), ("duration", "snr")):
        if dimension not in results.ranges:
            continue
        name, unit = DIMENSIONS[dimension]
        caption = f"DT75 along {name}, in {unit}, at each {DIMENSIONS[other][0]}, {AT[kind]}."
        cells = sliced_thresholds_table(
            results.tables["thresholds"], results.ranges, dimension, kind=kind
        )
        made.append(Table(f"dt75-{dimension}-{kind}", caption, cells))
    return made


def _by_background(results: Results) -> list[Table]:
    """Return DT75 by background, along the SNR and along that in the speech band."""
    table, made = results.tables["thresholds"], []
    for dimension in ("snr", "snr_speech"):
        for kind, at in AT.items():
            cells = (
                sliced_thresholds_table(
                    table, results.ranges, dimension, kind=kind, backgrounds=True
                )
                if dimension in results.ranges
                else None
            )
            if cells is not None and len(cells.columns) > 2:
                caption = f"DT75 along {DIMENSIONS[dimension][0]}, in dB, by background, {at}."
                made.append(Table(f"dt75-background-{dimension}-{kind}", caption, cells))
    return made


def _trading(results: Results) -> list[Table]:
    """Return the worth of duration in dB; nothing if the grid has one SNR or one duration."""
    surface = results.tables["surface"]
    if surface.empty:
        return []
    cells = trading_table(surface, results.tables["contour"], results.ranges["snr"])
    caption = (
        "The surface over SNR and duration: by how many dB its 75 % contour falls when the "
        "duration doubles, and where it lies at each duration, in dB."
    )
    return [Table("trading", caption, cells)]
