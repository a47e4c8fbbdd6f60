"""Tables of the data as text: recordings, items, the leak audit, and rejected files."""

from collections.abc import Mapping

import pandas as pd

from speechdt.audio.faults import LIMITS
from speechdt.corpus.sources import CATEGORIES
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
