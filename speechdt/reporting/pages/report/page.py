"""The page of the report: its list of sections, and its head."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from speechdt.reporting.pages.environment import template, text
from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.chart_parts import colours
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.pages.report.sections import (
    audiogram,
    breakdown,
    calibration,
    chooser,
    cite,
    conditions,
    configuration,
    data,
    figures,
    foils,
    ladder,
    latency,
    leave_one_out,
    level,
    matrix,
    operating_points,
    overview,
    paired,
    prompts,
    reading,
    robustness,
    software,
    speakers,
    summary,
    thresholds,
    training,
    verdict,
    versions,
)
from speechdt.reporting.pages.vega import bundle
from speechdt.reporting.tables import skill
from speechdt.reporting.tables.formatting import minus

SECTIONS: tuple[Callable[[Results], Section | None], ...] = (
    audiogram.section,
    summary.section,
    figures.section,
    chooser.section,
    ladder.section,
    matrix.section,
    paired.section,
    verdict.section,
    reading.section,
    thresholds.section,
    operating_points.section,
    breakdown.section,
    speakers.section,
    level.section,
    conditions.section,
    foils.section,
    robustness.section,
    versions.section,
    leave_one_out.section,
    calibration.section,
    training.section,
    prompts.section,
    latency.section,
    overview.section,
    data.section,
    configuration.section,
    software.section,
    cite.section,
)
"""Sections in the order of the page; one that has nothing to show for a run returns None."""


SCRIPTS = (
    *("clip_player.js", "report_tables.js", "wide_tables.js"),
    *("report_charts.js", "report_chooser.js"),
)
"""Of the page, in the order in which they run; without them everything can be read."""


def render(results: Results) -> str:
    """Return the page as HTML that loads nothing from elsewhere."""
    variants = results.tables["matrix"]
    with ThreadPoolExecutor(1) as pool:
        library = pool.submit(bundle)  # takes as long as all sections, and a core of its own
        made = [section for function in SECTIONS if (section := function(results))]
        sections = [
            (
                section,
                template(f"report/{section.id}.html.j2").render(
                    **_marked(section.content, variants)
                ),
            )
            for section in made
        ]
        return template("report.html.j2").render(
            facts=facts(variants, results.tables["metrics"]) | {"curves": _curves(results)},
            sections=sections,
            variants=variants_shown(results),
            charts=results.charts,
            library=library.result() if results.charts else "",
            style=text("page.css") + text("clip_player.css") + text("report.css"),
            scripts=[text(name) for name in SCRIPTS],
        )


def variants_shown(results: Results) -> list[dict[str, str]]:
    """Return name, colour and remark of each variant, for its toggle."""
    remarks = skill.words(results.tables["matrix"])
    colour = colours(results.variants)
    return [
        {"name": name, "colour": colour[name], "remark": remarks.get(name, "")}
        for name in results.variants
    ]


def _marked(content: Mapping[str, Any], variants: pd.DataFrame) -> dict[str, Any]:
    """Return what a section shows, its variants marked where they have no skill, or worse."""

    def one(value: Any) -> Any:
        if isinstance(value, Table):
            return value._replace(cells=skill.marked(value.cells, variants))
        return [one(part) for part in value] if isinstance(value, list) else value

    return {name: one(value) for name, value in content.items()}


def facts(matrix: pd.DataFrame, metrics: pd.DataFrame) -> dict[str, Any]:
    """Return the size of the test: variants, trials, groups, and levels."""
    overall = metrics[metrics["by"] == "all"]
    return {
        "variants": len(matrix),
        "trials": int(matrix["n"].iloc[0]),
        "groups": int(overall["groups"].iloc[0]),
        "snrs": _levels(metrics, "snr_db"),
        "durations": _levels(metrics, "duration_ms"),
    }


def _curves(results: Results) -> str:
    """Return the range of SNRs that curves are fitted to; '' if there are none."""
    if "snr" not in results.ranges:
        return ""
    return " to ".join(minus(f"{end:g}") for end in results.ranges["snr"])


def _levels(metrics: pd.DataFrame, by: str) -> str:
    levels = sorted(set(metrics.loc[metrics["by"] == by, "level"].astype(float)))
    return ", ".join(minus(f"{level:g}") for level in levels)
