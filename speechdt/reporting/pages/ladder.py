"""A ladder of SNRs: the same item from little noise to much, with the answer of every variant."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from speechdt.reporting.pages.clip_player import Player, audio_uri, spectrogram_uri
from speechdt.reporting.tables.formatting import Row
from speechdt.trials.cells import read_cell

NONSPEECH_CATEGORIES = 2
COLUMNS = [
    *("item_id", "trial_id", "label", "category", "source_id", "background", "snr_db"),
    *("duration_ms", "answers", "audio"),
]


class Rung(NamedTuple):
    """An item at one SNR: the SNR as text, its clip, and the answer to it of each variant."""

    snr: str
    clip: Player
    answers: list[tuple[str, bool]]


class Ladder(NamedTuple):
    """An item at every SNR, the highest first."""

    name: str
    label: str
    rungs: list[Rung]


def typical(right: pd.DataFrame) -> list[str]:
    """Choose items that are neither easy nor hard: a speech item of each background, and others.

    Parameters
    ----------
    right : DataFrame
        One row a trial: item_id, label, category, background, and right, the share of the variants
        that decide it rightly.

    Returns
    -------
    list of str
        Of each background the SPEECH item, then of the first categories the NONSPEECH item, whose
        mean over its trials is in the middle.
    """
    about = ["item_id", "label", "category", "background"]
    means = pd.DataFrame(right.groupby(about, as_index=False).agg(right=("right", "mean")))
    means["right"] = means["right"].round(9)
    ordered = means.sort_values(["right", "item_id"], ignore_index=True)
    speech = ordered[ordered["label"] == "SPEECH"]
    rest = ordered[ordered["label"] == "NONSPEECH"]
    chosen = [_middle(own) for _, own in speech.groupby("background")]
    others = [_middle(own) for _, own in rest.groupby("category")]
    return chosen + others[:NONSPEECH_CATEGORIES]


def _middle(ordered: pd.DataFrame) -> str:
    return str(ordered["item_id"].iloc[len(ordered) // 2])


def ladder(decided: Mapping[str, pd.DataFrame], cells: Iterable[Path | str]) -> pd.DataFrame:
    """Return the clips of the chosen items with the answers of all variants.

    Parameters
    ----------
    decided : mapping of str to DataFrame
        From `decisions.decided_trials`, by variant, of the cells.
    cells : iterable of paths
        Cell files of one duration, at every SNR.

    Returns
    -------
    DataFrame
        `COLUMNS`: answers is JSON, P(speech) and whether it is called SPEECH by variant; audio is
        FLAC.
    """
    tables = {name: table.set_index("trial_id").sort_index() for name, table in decided.items()}
    first = next(iter(tables.values()))
    share = sum((table["decided"] == table["speech"]).astype(float) for table in tables.values())
    items = typical(first.assign(right=share / len(tables)).reset_index())
    trials = first[first["item_id"].isin(items)]
    answers = {
        trial: json.dumps({name: _answer(table.loc[trial]) for name, table in tables.items()})
        for trial in trials.index
    }
    audio: dict[str, bytes] = {}
    for path in cells:
        rows = read_cell(path, ["trial_id", "audio"])
        rows = rows[rows["trial_id"].isin(trials.index)]
        audio |= dict(zip(rows["trial_id"], rows["audio"], strict=True))
    clips = trials.reset_index()
    clips["answers"] = clips["trial_id"].map(answers)
    clips["audio"] = clips["trial_id"].map(audio)
    place = clips["item_id"].map({item: place for place, item in enumerate(items)})
    clips = clips.assign(place=place).sort_values(["place", "snr_db"], ascending=[True, False])
    return clips[COLUMNS].reset_index(drop=True)


def _answer(trial: Row) -> tuple[float, bool]:
    return round(float(trial["p_speech"]), 6), bool(trial["decided"])


def ladders(table: pd.DataFrame, names: Mapping[str, str]) -> tuple[list[Ladder], dict[str, str]]:
    """Return what a page shows of a ladder, and the addresses of its audio by key.

    Parameters
    ----------
    table : DataFrame
        From `ladder`.
    names : mapping of str to str
        What readers call the variants, in the order of the columns.
    """
    made, addresses = [], {}
    for _, rows in table.groupby("item_id", sort=False):
        rungs = []
        for row in rows.to_dict("records"):
            key = f"ladder-{row['trial_id']}"
            addresses[key] = audio_uri(row["audio"])
            snr = f"{row['snr_db']:g}".replace("-", "−")
            uri, length = spectrogram_uri(row["audio"]), int(row["duration_ms"])
            clip = Player(key, uri, length, f"{row['category']} at {snr} dB")
            rungs.append(Rung(snr, clip, _answers(row["answers"], names)))
        about: dict[Any, Any] = rows.iloc[0].to_dict()
        background = str(about["background"]).replace("_", "-")
        noise = "recorded noise" if background == "recording" else f"{background} noise"
        name = f"{about['label']}: {about['category']} in {noise} ({about['source_id']})"
        made.append(Ladder(name, str(about["label"]), rungs))
    return made, addresses


def _answers(text: str, names: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Return P(speech) as text and whether the clip is called SPEECH, in the order of `names`."""
    answers = json.loads(text)
    return [(f"{answers[variant][0]:.2f}", bool(answers[variant][1])) for variant in names]
