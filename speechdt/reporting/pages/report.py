"""The report: one page that holds every table and figure of a run, and how they came about."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import yaml

from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.pages.citation import bibtex, reference
from speechdt.reporting.pages.parts import Drawing, Table, data_uri, width
from speechdt.reporting.tables import (
    formatting,
    latency_text,
    matrix_text,
    statistics_text,
    thresholds_text,
)
from speechdt.reporting.tables.training_text import adapters_text
from speechdt.reporting.tables.verdict import Finding
from speechdt.reporting.tables.verdict_text import findings_table
from speechdt.trials.grid import SPLITS

TEMPLATE = Path(__file__).with_name("templates") / "report.html.j2"
MOST_REJECTED = 100
"""Rejected files that the page lists; the CSV file lists all."""


def render(
    *,
    tables: Mapping[str, pd.DataFrame],
    order_bias: pd.DataFrame | None = None,
    left_out: pd.DataFrame | None = None,
    adapters: pd.DataFrame | None = None,
    figures: Mapping[str, str],
    calibrations: Mapping[str, Mapping[str, Any]],
    hardware: Mapping[str, Mapping[str, Any]],
    sources: pd.DataFrame,
    items: Mapping[str, pd.DataFrame],
    rejected: pd.DataFrame,
    audit: pd.DataFrame,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
    revision: str,
    citation: Mapping[str, Any],
    prompts: Any = None,
    hygiene: Any = None,
) -> str:
    """Return the page as HTML that loads nothing from elsewhere.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        matrix, metrics, thresholds, curves, latency, pareto, comparisons,
        surface, contour; and verdict, giveaways and
        threshold_sensitivity, if there are any.
    order_bias : DataFrame or None
        ``tables/order_bias.csv``, if any variant is asked in words.
    left_out : DataFrame or None
        ``tables/leave_one_out.csv``, if a corpus was left out.
    adapters : DataFrame or None
        ``tables/adapters.csv``, if anything is fine-tuned.
    figures : mapping of str to str
        SVG of each figure that was drawn.
    calibrations : mapping
        Content of ``calibration/{variant}.json`` by variant.
    hardware : mapping
        What each variant's latency was measured on.
    sources : DataFrame
        ``corpus/sources.parquet``: label, category, group_id, split.
    items : mapping of str to DataFrame
        ``trials/{split}/items.parquet`` by split: category.
    rejected, audit : DataFrame
        ``corpus/rejected.csv`` and ``trials/audit.csv``.
    config : mapping
        The configuration as it was used.
    versions : mapping of str to str
        Of Python and the packages.
    revision : str
        Git commit of the code, or empty.
    citation : mapping
        Content of ``CITATION.cff``; may be empty.
    prompts : PromptSection or None
        From `prompts_report.prompt_section`, if a prompt was searched for.
    hygiene : HygieneSection or None
        From `hygiene_report.hygiene_section`, if there are checks.
    """
    ranges = formatting.tested_ranges(tables["curves"])
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        facts=facts(tables["matrix"], tables["metrics"]),
        stand_ins=formatting.model_notes(tables["matrix"]),
        matrix=Table(
            "comparison",
            "All variants on the same test trials.",
            matrix_text.matrix_table(tables["matrix"], tables["latency"], ranges),
        ),
        contrasts=contrasts_table(tables["comparisons"]),
        verdict=verdict_table(tables.get("verdict")),
        robustness=robustness(tables),
        left_out=left_out_table(left_out),
        left_out_note=statistics_text.LEFT_OUT_NOTE,
        figures=drawings(figures),
        adapters=adapters_table(adapters),
        thresholds=[
            *threshold_tables(tables["thresholds"], ranges),
            *trading_tables(tables["surface"], tables["contour"], ranges),
        ],
        all_thresholds=Table(
            "all-thresholds",
            "Thresholds of every curve, with its guess and lapse rate.",
            thresholds_text.thresholds_table(tables["thresholds"], ranges),
        ),
        breakdowns=breakdowns(tables["metrics"]),
        calibration=[
            *calibration_tables(tables["matrix"], calibrations),
            *order_bias_tables(order_bias),
        ],
        prompts=prompts,
        hygiene=hygiene,
        latency=latency_tables(tables["latency"], tables["pareto"]),
        machines=machines(hardware),
        sources=Table("sources", "Recordings (groups) in each split.", sources_table(sources)),
        items=Table(
            "items",
            "Items of each split: each is one clip in every cell of SNR and duration.",
            items_table(items),
        ),
        audit=Table(
            "audit",
            "Distinct sources, groups and audios compared between splits; none is in two.",
            audit_table(audit),
        ),
        rejected=rejected_table(rejected),
        rejected_count=len(rejected),
        config=as_yaml(config),
        versions=versions,
        revision=revision,
        citation=reference(citation),
        bibtex=bibtex(citation),
        explain=formatting.explain,
        explanations=formatting.EXPLANATIONS,
    )


def facts(matrix: pd.DataFrame, metrics: pd.DataFrame) -> dict[str, Any]:
    """Return what was tested: variants, trials, groups, and levels."""
    overall = metrics[metrics["by"] == "all"]
    return {
        "variants": len(matrix),
        "trials": int(matrix["n"].iloc[0]),
        "groups": int(overall["groups"].iloc[0]),
        "snrs": _levels(metrics, "snr_db"),
        "durations": _levels(metrics, "duration_ms"),
    }


def _levels(metrics: pd.DataFrame, by: str) -> str:
    levels = sorted(set(metrics.loc[metrics["by"] == by, "level"].astype(float)))
    return ", ".join(formatting.minus(f"{level:g}") for level in levels)


def drawings(figures: Mapping[str, str]) -> list[Drawing]:
    """Return the figures that were drawn, in the order of `FIGURES`, from their SVG by name."""
    return [
        Drawing(name, entry.title, entry.caption, data_uri(figures[name]), width(figures[name]))
        for name, entry in FIGURES.items()
        if name in figures
    ]


def verdict_table(verdict: pd.DataFrame | None) -> Table | None:
    """Return the verdict on the plan's criteria, from ``tables/verdict.csv``."""
    if verdict is None:
        return None
    found = [Finding(*row) for row in verdict[list(Finding._fields)].itertuples(index=False)]
    return Table("criteria", "The plan's criteria.", findings_table(found).drop(columns="Note"))


def contrasts_table(comparisons: pd.DataFrame) -> Table | None:
    """Return the contrasts that were planned; None if the run has none of their variants."""
    cells = statistics_text.comparisons_table(comparisons)
    caption = "Planned contrasts on the same test trials: balanced accuracy and DT75."
    return Table("contrasts", caption, cells) if len(cells) else None


def left_out_table(left_out: pd.DataFrame | None) -> Table | None:
    """Return what leaving each corpus out of training costs; None if none was left out."""
    if left_out is None:
        return None
    caption = "On the test trials of a corpus: variants that know it, and without it."
    return Table("left-out", caption, statistics_text.left_out_table(left_out))


def adapters_table(adapters: pd.DataFrame | None) -> Table | None:
    """Return the adapters' settings and results; None if nothing is fine-tuned."""
    if adapters is None:
        return None
    caption = "Adapters: settings, and what came of them."
    return Table("adapters", caption, adapters_text(adapters))


def trading_tables(
    surface: pd.DataFrame, contour: pd.DataFrame, ranges: Mapping[str, formatting.Range]
) -> list[Table]:
    """Return what duration is worth in dB; nothing if the grid has one SNR or one duration."""
    if surface.empty:
        return []
    cells = statistics_text.trading_table(surface, contour, ranges["snr"])
    caption = (
        "The surface over SNR and duration: by how many dB its 75 % contour falls when the "
        "duration doubles, and where it lies at each duration, in dB."
    )
    return [Table("trading", caption, cells)]


def robustness(tables: Mapping[str, pd.DataFrame]) -> list[Table]:
    """Return tables that ask whether the comparison depends on bias, on labels or on bandwidth."""
    found = [
        Table(
            "sensitivity",
            "Sensitivity and bias: d′ and criterion c.",
            statistics_text.sensitivity_table(tables["matrix"]),
        ),
        Table(
            "strata",
            "Balanced accuracy (%) over all trials and in parts of them.",
            statistics_text.strata_table(tables["metrics"]),
        ),
    ]
    if "threshold_sensitivity" in tables:
        cells = statistics_text.moved_threshold_table(tables["threshold_sensitivity"])
        caption = (
            "Balanced accuracy (%) with the threshold moved, so that so many points more of dev's "
            "clips are called SPEECH; and at the threshold that would have been best on test."
        )
        found.append(Table("moved-thresholds", caption, cells))
    if "giveaways" in tables:
        cells = statistics_text.giveaways_table(tables["giveaways"])
        caption = (
            "How much the trials give away: logistic regressions on level, bandwidth or mean "
            "spectrum alone, and on log-mel statistics, trained on train."
        )
        found.append(Table("giveaways", caption, cells))
    return found


def threshold_tables(
    thresholds: pd.DataFrame, ranges: Mapping[str, formatting.Range]
) -> list[Table]:
    """Return the pooled thresholds, and DT75 along each dimension by level of the other."""
    pooled = thresholds_text.thresholds_table(thresholds, ranges, pooled=True)
    tables = [
        Table("pooled-thresholds", "Thresholds over all durations and over all SNRs.", pooled)
    ]
    for dimension in ranges:
        name, unit = formatting.DIMENSIONS[dimension]
        other = formatting.DIMENSIONS["duration" if dimension == "snr" else "snr"][0]
        caption = f"DT75 along {name}, in {unit}, at each {other}."
        cells = thresholds_text.sliced_thresholds_table(thresholds, ranges, dimension)
        tables.append(Table(f"dt75-{dimension}", caption, cells))
    return tables


def breakdowns(metrics: pd.DataFrame) -> list[Table]:
    """Return accuracy by SNR, duration and category, in percent."""
    table = matrix_text.breakdown_table
    balanced = "balanced_accuracy"
    categories = [name for names in CATEGORIES.values() for name in names]
    return [
        Table("by-snr", "Balanced accuracy (%) by SNR.", table(metrics, "snr_db", balanced, "dB")),
        Table(
            "by-duration",
            "Balanced accuracy (%) by duration.",
            table(metrics, "duration_ms", balanced, "ms"),
        ),
        Table(
            "by-category",
            "Correct decisions (%) by category.",
            table(metrics, "category", "accuracy", first=categories),
        ),
    ]


def calibration_tables(
    matrix: pd.DataFrame, calibrations: Mapping[str, Mapping[str, Any]]
) -> list[Table]:
    """Return how far probabilities can be trusted, and what was learned on dev."""
    return [
        Table(
            "reliability-errors",
            "Calibration on test, before and after scaling learned on dev.",
            matrix_text.calibration_table(matrix),
        ),
        Table(
            "decisions",
            "What was learned on dev, and what it does on test.",
            matrix_text.decisions_table(matrix, calibrations),
        ),
        Table(
            "confidence",
            "Confidence on test, after Platt scaling.",
            matrix_text.confidence_table(matrix),
        ),
    ]


def order_bias_tables(order_bias: pd.DataFrame | None) -> list[Table]:
    """Return what the order of options does; nothing if no variant is asked in words."""
    if order_bias is None:
        return []
    caption = (
        "What the order of the two options does on dev: the log-odds by which the prompt's own "
        "order favours SPEECH (± standard deviation over clips), the answers that change, and how "
        "good each order is."
    )
    return [Table("option-order", caption, formatting.order_bias_table(order_bias))]


def latency_tables(latency: pd.DataFrame, pareto: pd.DataFrame) -> list[Table]:
    """Return time by stage, and throughput, loading and memory."""
    return [
        Table(
            "stages",
            "Milliseconds a clip by stage: median (95th percentile), one at a time, warm.",
            latency_text.latency_table(latency),
        ),
        Table(
            "resources",
            "Throughput, loading and memory.",
            latency_text.resources_table(latency, pareto),
        ),
    ]


def machines(hardware: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the variants measured on each machine, by its description."""
    found: dict[str, list[str]] = {}
    for variant, machine in hardware.items():
        gpus = "; ".join(machine["gpus"]) or "no GPU"
        text = (
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, "
            f"{gpus}, {machine['system']}"
        )
        found.setdefault(text, []).append(variant)
    return found


def sources_table(sources: pd.DataFrame) -> pd.DataFrame:
    """Return recordings and groups of each category in each split, and their sums."""
    rows = []
    for label, categories in CATEGORIES.items():
        for category in categories:
            part = sources[(sources["label"] == label) & (sources["category"] == category)]
            if len(part):
                rows.append({"Class": label, "Category": category, **_recordings(part)})
    rows.append({"Class": "all", "Category": "", **_recordings(sources)})
    return pd.DataFrame(rows, dtype=str)


def _recordings(sources: pd.DataFrame) -> dict[str, str]:
    cells = {}
    for name, part in (
        *((split, sources[sources["split"] == split]) for split in SPLITS),
        ("All", sources),
    ):
        cells[name.capitalize()] = f"{len(part):,} ({part['group_id'].nunique():,})"
    return cells


def items_table(items: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the items of each category in each split, and their sums."""
    counts = pd.DataFrame({split: part["category"].value_counts() for split, part in items.items()})
    order = [category for categories in CATEGORIES.values() for category in categories]
    counts = counts.reindex([name for name in order if name in counts.index]).fillna(0)
    counts.loc["all"] = counts.sum()
    text = counts.map(lambda count: f"{count:,.0f}").rename(columns=str.capitalize)
    return text.rename_axis("Category").reset_index()


def audit_table(audit: pd.DataFrame) -> pd.DataFrame:
    """Return what the leak audit compared: a row for each kind, a column for each split."""
    counts = audit.pivot(index="kind", columns="split", values="distinct")
    counts = counts.reindex(index=audit["kind"].unique(), columns=audit["split"].unique())
    text = counts.map(lambda count: f"{count:,.0f}").rename(columns=str.capitalize)
    text.insert(0, "Kind", text.index)
    return text.assign(Shared="0").reset_index(drop=True)


def rejected_table(rejected: pd.DataFrame) -> Table | None:
    """Return the files that could not be used, with the reasons; None if there are none."""
    if rejected.empty:
        return None
    shown = rejected[["path", "reason"]].head(MOST_REJECTED).fillna("").astype(str)
    cells = shown.rename(columns={"path": "File", "reason": "Reason"})
    return Table("rejected", "Files that were not used.", cells)


def as_yaml(config: Mapping[str, Any]) -> str:
    """Return the configuration as YAML, in its own order."""
    plain = json.loads(json.dumps(config, default=str))
    return str(
        yaml.safe_dump(
            plain, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
        )
    )
