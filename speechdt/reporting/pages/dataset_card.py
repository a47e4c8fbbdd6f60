"""The dataset card of the trials: a README.md with which `datasets` opens their folder."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from huggingface_hub import DatasetCardData

from speechdt.reporting.pages.environment import template
from speechdt.trials.cells import read_cell
from speechdt.trials.grid import CROSSED, SPLITS, Cell

KINDS = {"noisy": "snr", "clean": "clean", "catch": "catch"}
"""Configurations that `datasets` offers, and how the files of each begin."""
COLUMNS = {
    "trial_id": "unique name",
    "item_id": "crop of a recording before one of background; in every cell of dev and test",
    "label": "SPEECH, NONSPEECH, or CATCH for background alone",
    "category": "speech; music, animals, noise, environment; of a catch trial the background",
    "snr_db": "signal-to-noise ratio in dB, empty in clean and catch cells",
    "duration_ms": "length in ms",
    "source_id": "recording of the target, in a catch trial of the background",
    "group_id": "its speaker or recording family; never in two splits",
    "origin": "where the recording comes from: its corpus, or a package in it",
    "snr_speech_db": "the same in 300 to 3400 Hz, in dB",
    "snr_active_db": "the same, the target's pauses left out of its power, in dB",
    "background": "white, pink, brown, speech_shaped, recording; none in clean cells",
    "background_id": "recording of the background",
    "background_group": "its group",
    "background_origin": "its origin, empty for synthetic noise",
    "sha256": "digest of the clip's FLAC bytes",
    "audio": "16 kHz mono FLAC",
}
"""Descriptions of the columns of `cells.SCHEMA`."""

_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}


def count(cells: Mapping[str, Mapping[Cell, Path | str]]) -> pd.DataFrame:
    """Count the trials of each cell and label.

    Parameters
    ----------
    cells : mapping
        Files by split and cell.

    Returns
    -------
    DataFrame
        split, kind, cell, snr_db, duration_ms, label, trials, groups.
    """
    rows = []
    for split, files in cells.items():
        for cell, file in files.items():
            trials = read_cell(file, ["label", "group_id"])
            for label, part in trials.groupby("label"):
                rows.append(
                    {
                        "split": split,
                        "kind": cell.kind,
                        "cell": cell.name,
                        "snr_db": cell.snr_db,
                        "duration_ms": cell.duration_ms,
                        "label": label,
                        "trials": len(part),
                        "groups": part["group_id"].nunique(),
                    }
                )
    return pd.DataFrame(rows)


def header(counts: pd.DataFrame, sources: pd.DataFrame) -> str:
    """Return the YAML header: configurations with their files, licence, languages and size.

    Parameters
    ----------
    counts : DataFrame
        From :func:`count`.
    sources : DataFrame
        The recordings; the column language, if there is one, names theirs.
    """
    configs: list[dict[str, Any]] = []
    for name, prefix in KINDS.items():
        there = counts.loc[counts["kind"] == prefix, "split"].unique()
        files = [
            {"split": split, "path": f"{split}/{prefix}*.parquet"}
            for split in SPLITS
            if split in there
        ]
        if files:
            configs.append({"config_name": name, "data_files": files})
    configs[0]["default"] = True
    total = int(counts["trials"].sum())
    content: dict[str, Any] = {
        "pretty_name": "Short and noisy clips of speech and other sounds",
        "license": "other",
        "license_name": "of-each-recording",
        "task_categories": ["audio-classification"],
        "tags": ["voice-activity-detection", "speech-detection", "psychometrics"],
        "size_categories": [next((name for n, name in _SIZES.items() if total < n), "n>1M")],
        "configs": configs,
    }
    spoken = sources["language"] if "language" in sources else pd.Series(dtype=str)
    # ISO 639 alone: pt for pt_BR.
    languages = sorted(set(spoken.dropna().str.lower().str.split("[_-]").str[0]) - {""})
    if languages:
        content["language"] = languages
    return str(DatasetCardData(**content).to_yaml(original_order=list(content)))


def render(
    cells: Mapping[str, Mapping[Cell, Path | str]],
    sources: pd.DataFrame,
    corpora: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    flagged: Collection[str] = (),
) -> str:
    """Return the card.

    Parameters
    ----------
    cells : mapping
        Files by split and cell.
    sources : DataFrame
        The recordings: source_id, label, category, group_id, split, seconds, and licence if known.
    corpora : sequence of mappings
        As in the configuration.
    settings : mapping
        seed, level, least_active, flag_by.
    flagged : collection of str
        Recordings that hygiene flags.
    """
    counts = count(cells)
    licences = sources["licence"] if "licence" in sources else pd.Series("", index=sources.index)
    return template("trials_card.md.j2").render(
        header=header(counts, sources),
        splits={split: _by_cell(counts, split) for split in cells},
        others=counts[counts["kind"] != "snr"].to_dict("records"),
        recordings=_by_category(sources, flagged),
        licences=licences.replace("", "unknown").fillna("unknown").value_counts().to_dict(),
        # Not the path: it says where they lay on this machine.
        corpora=[Path(each.get("path", "")).name or each["kind"] for each in corpora],
        columns=COLUMNS,
        speakers=_speakers(sources),
        unseen=_unseen(sources),
        settings=settings,
    )


def _by_cell(counts: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return "SPEECH / NONSPEECH" trials of a split, a row an SNR and a column a duration."""
    own = counts[(counts["split"] == split) & (counts["kind"] == "snr")]
    keys = ["snr_db", "duration_ms", "label"]
    trials = own.pivot_table("trials", keys[:2], "label", aggfunc="sum", fill_value=0)
    trials = trials.reindex(columns=["SPEECH", "NONSPEECH"], fill_value=0).astype(int).astype(str)
    return (trials["SPEECH"] + " / " + trials["NONSPEECH"]).unstack()


def _by_category(sources: pd.DataFrame, flagged: Collection[str]) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "category": category,
            "recordings": len(part),
            "groups": part["group_id"].nunique(),
            "minutes": f"{part['seconds'].sum() / 60:.1f}",
            "flagged": int(part["source_id"].isin(flagged).sum()),
        }
        for (label, category), part in sources.groupby(["label", "category"], sort=False)
    ]


def _unseen(sources: pd.DataFrame) -> list[str]:
    """Return the origins that are in test alone."""
    if "unseen" not in sources:
        return []
    return sorted(map(str, sources.loc[sources["unseen"].astype(bool), "origin"].unique()))


def _speakers(sources: pd.DataFrame) -> dict[str, int]:
    """Return how many groups of speech dev and test have."""
    speech = sources[sources["label"] == "SPEECH"]
    return {split: speech.loc[speech["split"] == split, "group_id"].nunique() for split in CROSSED}
