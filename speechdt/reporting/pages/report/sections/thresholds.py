"""Detection thresholds along SNR and duration, and the trade between the two."""

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.formatting import DIMENSIONS, EXPLANATIONS
from speechdt.reporting.tables.statistics_text import trading_table
from speechdt.reporting.tables.thresholds_text import sliced_thresholds_table, thresholds_table


def section(results: Results) -> Section:
    """Return the section."""
    every = thresholds_table(results.tables["thresholds"], results.ranges)
    caption = "Thresholds of every curve, with its guess and lapse rate."
    content = {
        "thresholds": [_pooled(results), *_sliced(results), *_trading(results)],
        "all_thresholds": Table("all-thresholds", caption, every),
        "explanations": EXPLANATIONS,
    }
    return Section("thresholds", "Detection thresholds", content, link="Thresholds")


def _pooled(results: Results) -> Table:
    cells = thresholds_table(results.tables["thresholds"], results.ranges, pooled=True)
    return Table("pooled-thresholds", "Thresholds over all durations and over all SNRs.", cells)


def _sliced(results: Results) -> list[Table]:
    """Return DT75 along each dimension by level of the other."""
    made = []
    for dimension in results.ranges:
        name, unit = DIMENSIONS[dimension]
        other = DIMENSIONS["duration" if dimension == "snr" else "snr"][0]
        caption = f"DT75 along {name}, in {unit}, at each {other}."
        cells = sliced_thresholds_table(results.tables["thresholds"], results.ranges, dimension)
        made.append(Table(f"dt75-{dimension}", caption, cells))
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
