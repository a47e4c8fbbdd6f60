"""Tables of the data as text: recordings, items, the leak audit, and rejected files."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from speechdt.audio.faults import LIMITS
from speechdt.corpus.rejections import kind
from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.tables.formatting import MISSING, number
from speechdt.trials.grid import SPLITS

FAULTS = {
    "offset": f"{LIMITS['offset']:g} of full scale",
    "rumble": f"below 50 Hz {LIMITS['rumble']:g} dB over the rest",
    "hum": f"50 or 60 Hz and multiples {LIMITS['hum']:g} dB over the rest".replace("-", "−"),
    "clipping": f"{100 * LIMITS['clipping']:g} % of the samples",
}
"""Faults of recordings, and the limit of each in words."""


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
    """Return the counts of the leak audit: a row for each kind, a column for each split."""
    counts = audit.pivot(index="kind", columns="split", values="distinct")
    counts = counts.reindex(index=audit["kind"].unique(), columns=audit["split"].unique())
    text = counts.map(lambda count: f"{count:,.0f}").rename(columns=str.capitalize)
    text.insert(0, "Kind", text.index)
    return text.assign(Shared="0").reset_index(drop=True)


def faults_table(sources: pd.DataFrame) -> pd.DataFrame:
    """Return how many recordings of each class have each fault, and the share of the class."""
    of_each = sources.assign(fault=sources["faults"].fillna("").str.split(", ")).explode("fault")
    rows = []
    for fault in FAULTS:
        having = of_each[of_each["fault"] == fault]
        cells = {"Fault": fault, "Limit": FAULTS[fault]}
        for label, part in sources.groupby("label", sort=False):
            count = int((having["label"] == label).sum())
            cells[str(label)] = f"{count:,} ({100 * count / len(part):.1f} %)"
        rows.append(cells)
    return pd.DataFrame(rows, dtype=str)


def rejected_table(rejected: pd.DataFrame) -> pd.DataFrame:
    """Return the files that could not be used, with the reasons."""
    shown = rejected[["path", "reason"]].fillna("").astype(str)
    return shown.rename(columns={"path": "File", "reason": "Reason"})


def overview_table(sources: pd.DataFrame) -> pd.DataFrame:
    """Return groups, recordings, origins, minutes and levels of each category, and of all."""
    rows = []
    for label, categories in CATEGORIES.items():
        for category in categories:
            part = sources[(sources["label"] == label) & (sources["category"] == category)]
            if len(part):
                rows.append({"Class": label, "Category": category, **_described(part)})
    rows.append({"Class": "all", "Category": "", **_described(sources)})
    return pd.DataFrame(rows, dtype=str)


def origins_overview(sources: pd.DataFrame) -> pd.DataFrame:
    """Return the same of each origin, the one with most recordings first."""
    names = sources["origin"].fillna("").astype(str)
    rows = [
        {"Origin": str(name) or MISSING, "Classes": _classes(own), **_described(own)}
        for name in names.value_counts().index
        for own in [sources[names == name]]
    ]
    return pd.DataFrame(rows, dtype=str).drop(columns="Origins", errors="ignore")


def _classes(part: pd.DataFrame) -> str:
    return ", ".join(label for label in CATEGORIES if (part["label"] == label).any())


def _described(part: pd.DataFrame) -> dict[str, str]:
    cells = {"Recordings": f"{len(part):,}", "Groups": f"{part['group_id'].nunique():,}"}
    if "origin" in part:
        cells["Origins"] = f"{part['origin'].nunique():,}"
    if "language" in part:
        spoken = part["language"].fillna("").astype(str)
        cells["Languages"] = f"{spoken[spoken != ''].nunique():,}"
    if "seconds" in part:
        cells["Minutes"] = number(float(part["seconds"].sum()) / 60)
    if "peak" in part:
        peaks = 20 * np.log10(part["peak"].clip(lower=1e-6).astype(float))
        low, middle, high = (number(level, 0) for level in np.percentile(peaks, [5, 50, 95]))
        cells["Peak (dBFS), median (5th, 95th percentile)"] = f"{middle} ({low}, {high})"
    return cells


def reasons_table(rejected: pd.DataFrame, left_out: pd.DataFrame | None) -> pd.DataFrame:
    """Return how many recordings are rejected or excluded for each reason, with an example."""
    rows = []
    for what, table in (("rejected", rejected), ("excluded", left_out)):
        if table is None or table.empty:
            continue
        of_kind = table["reason"].fillna("").astype(str).map(kind)
        for reason, count in of_kind.value_counts().items():
            example = table.loc[of_kind == reason, "path"].iloc[0]
            rows.append(
                {
                    "Reason": str(reason),
                    "What": what,
                    "Recordings": f"{count:,}",
                    "Such as": str(example),
                }
            )
    return pd.DataFrame(rows, dtype=str)
