"""A section of the report, and the results of a run that it is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.pages.parts import Drawing, data_uri, width
from speechdt.reporting.pages.report.chart_captions import CAPTIONS
from speechdt.reporting.pages.report.charts import charts
from speechdt.reporting.tables.formatting import Range, tested_ranges


@dataclass(frozen=True)
class Results:
    """Results of a run, from which every section takes its own.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        CSV files of the results by name: matrix, metrics, thresholds, curves, latency, pareto,
        comparisons, surface, contour, rejected (files of the corpus), near_duplicates (pairs of
        recordings) and audit (of leaks); and of operating_points, roc, score_shares, cases, errors,
        versions, to_hear (recordings whose label is contradicted), left_out (recordings that are
        excluded), verdict, origins, giveaways, threshold_sensitivity, order_bias, leave_one_out,
        adapters, hygiene, prompts and searches those that the run has.
    figures : mapping of str to str
        SVG of each figure that was drawn, by its name in the catalogue.
    calibrations : mapping
        Content of ``calibration/{run}.json`` by variant.
    hardware : mapping
        Machine on which each variant's latency was measured.
    sources : DataFrame
        ``corpus/sources.parquet``: label, category, group_id, split.
    items : mapping of str to DataFrame
        ``trials/{split}/items.parquet`` by split: category.
    config : mapping
        The configuration as it was used.
    versions : mapping of str to str
        Of Python and the packages.
    revision : str
        Git commit of the code, or empty.
    citation : mapping
        Content of ``CITATION.cff``; may be empty.
    searches : sequence of mappings
        Content of ``prompts/{search}.json``.
    ladder : DataFrame or None
        ``metrics/ladder.parquet``: items at every SNR, to be heard.
    names : mapping of str to str
        What readers call the variants, where that is another name; the tables have these already.
    accepted : sequence of str
        What other code made and was marked as made by the present one, a line for each change.
    """

    tables: Mapping[str, pd.DataFrame]
    figures: Mapping[str, str]
    calibrations: Mapping[str, Mapping[str, Any]]
    hardware: Mapping[str, Mapping[str, Any]]
    sources: pd.DataFrame
    items: Mapping[str, pd.DataFrame]
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    revision: str
    citation: Mapping[str, Any]
    searches: Sequence[Mapping[str, Any]] = field(default=())
    accepted: Sequence[str] = field(default=())
    ladder: pd.DataFrame | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def variants(self) -> list[str]:
        """All variants, in the order of the matrix."""
        return [str(name) for name in self.tables["matrix"]["variant"]]

    @cached_property
    def called(self) -> dict[str, str]:
        """Names of all variants for readers, by their keys in the configuration."""
        keys = {name: key for key, name in self.names.items()}
        return {keys.get(name, name): name for name in self.variants}

    @cached_property
    def charts(self) -> dict[str, dict[str, Any]]:
        """Charts by the names of the figures that they stand for."""
        return charts(self.tables, self.variants)

    @cached_property
    def ranges(self) -> dict[str, Range]:
        """Lowest and highest tested level of each dimension."""
        return tested_ranges(self.tables["curves"])

    def drawings(self, section: str) -> list[Drawing]:
        """Return the figures of a section that were drawn, in the order of the catalogue."""
        return [
            Drawing(
                name,
                entry.title,
                entry.caption,
                data_uri(self.figures[name]),
                width(self.figures[name]),
                CAPTIONS[name] if name in self.charts else "",
            )
            for name, entry in FIGURES.items()
            if entry.section == section and name in self.figures
        ]


class Section(NamedTuple):
    """A section of the page.

    Attributes
    ----------
    id : str
        Its anchor, and the name of its template below ``report/``.
    title : str
    content : mapping
        Variables of its template.
    link : str
        Its title in the navigation, if that is another.
    """

    id: str
    title: str
    content: Mapping[str, Any]
    link: str = ""
