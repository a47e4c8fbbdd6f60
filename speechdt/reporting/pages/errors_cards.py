"""Cards of the errors page: a choice of failures, their clips, and the answers of each variant."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from speechdt.audio.io import from_flac_bytes
from speechdt.reporting.pages.clip_player import (
    Player,
    as_mp3,
    audio_uri,
    spectrogram_png,
    spectrogram_uri,
)
from speechdt.reporting.tables.formatting import Row, minus, significant
from speechdt.statistics.error_rates import ERRORS, Answers
from speechdt.trials.cells import read_cell

DIGITS = 3
"""Significant digits of P(speech), where these tell it from the threshold."""
ODDS = 7.0
"""Log-odds at the right end of a bar; at the left end, as much the other way."""
CLEAN = "-clean"
"""End of the key of a target without noise."""


def share(p: float) -> float:
    """Return the place of a probability on a bar of log-odds, in percent of its length."""
    odds = np.clip(np.log(max(p, 1e-9) / max(1 - p, 1e-9)), -ODDS, ODDS)
    return round(float(50 * (1 + odds / ODDS)), 1)


class Answer(NamedTuple):
    """Answer of a variant to a clip: its name, P(speech), threshold, and whether it is wrong."""

    variant: str
    p_speech: float
    threshold: float
    wrong: bool

    @property
    def text(self) -> str:
        """P(speech) and the threshold it was compared with."""
        sign = "≥" if self.p_speech >= self.threshold else "<"
        ends = (self.p_speech, self.threshold)
        for digits in range(DIGITS, 18):  # as many as tell the two apart
            p, threshold = (_short(value, digits) for value in ends)
            if p != threshold or self.p_speech == self.threshold:
                break
        return f"{p} {sign} {threshold}"

    @property
    def bar(self) -> float:
        """Length of the bar of P(speech), in percent."""
        return share(self.p_speech)

    @property
    def tick(self) -> float:
        """Place of the threshold on the bar, in percent."""
        return share(self.threshold)


def _short(p: float, digits: int) -> str:
    """Return a probability with so many significant digits, tiny ones in powers of ten."""
    if p >= 0.001 or p == 0:
        return significant(p, digits)
    return minus(f"{p:.{digits - 1}g}")


class Card(NamedTuple):
    """A failure on the page.

    Attributes
    ----------
    trial : mapping
        The row of `Answers.trials`.
    error : str
        ``missed`` or ``false alarm``.
    clip : Player
    clean : Player or None
        The same target for longer and without noise.
    answers : list of Answer
    """

    trial: Mapping[str, Any]
    error: str
    clip: Player
    clean: Player | None
    answers: Sequence[Answer]

    @property
    def condition(self) -> str:
        """SNR and duration."""
        return minus(f"{self.trial['snr_db']:g} dB, {self.trial['duration_ms']} ms")

    @property
    def words(self) -> str:
        """Words that the search box looks through."""
        names = ("source_id", "group_id", "category", "language", "background", "background_id")
        fields = [str(self.trial.get(name, "")) for name in names]
        return " ".join([*fields, str(self.trial["trial_id"])]).lower()

    @property
    def wrong(self) -> str:
        """The variants that are wrong, as JSON: a name may hold anything."""
        return json.dumps([answer.variant for answer in self.answers if answer.wrong])


def choose(answers: Answers, sources: pd.DataFrame, most: int) -> list[int]:
    """Choose failures: of every recording its worst, then of every one its second worst, and so on.

    Recordings come in the order of `error_rates.error_sources`. A trial is worse if more variants
    get it wrong, then if it is in less noise, then if it is longer.

    Parameters
    ----------
    answers : Answers
    sources : DataFrame
        From `error_rates.error_sources`.
    most : int
        How many.

    Returns
    -------
    list of int
        Rows of `answers.trials`: the most confusable recording first, each one's worst trial first.
    """
    rank = answers.trials["source_id"].map(sources.set_index("source_id")["rank"])
    failed = answers.trials.assign(
        rank=rank, wrong=answers.wrong.sum(axis=1), doubt=answers.doubt.mean(axis=1)
    )
    failed = failed[failed["wrong"] > 0].sort_values(
        ["rank", "wrong", "snr_db", "duration_ms", "doubt", "trial_id"],
        ascending=[True, False, False, False, False, True],
    )
    failed["turn"] = failed.groupby("source_id").cumcount()
    chosen = failed.sort_values(["turn", "rank"], kind="stable").head(most)
    return [int(row) for row in chosen.sort_values(["rank", "turn"]).index]


def read_clips(
    answers: Answers, chosen: Sequence[int], cells: Iterable[Path | str], clean: Path | str
) -> dict[str, bytes]:
    """Read the clips of a page.

    Parameters
    ----------
    answers : Answers
    chosen : sequence of int
        From `choose`.
    cells : iterable of paths
        Cell files that hold all trials of `answers`.
    clean : path
        The cell file of the targets without noise.

    Returns
    -------
    dict of str to bytes
        FLAC of each chosen trial by its trial_id, and of its target, where the cell holds it, by
        `clean_key`.
    """
    trials = answers.trials.loc[list(chosen)]
    audio: dict[str, bytes] = {}
    for path in map(Path, cells):
        names = trials.loc[trials["cell"] == path.stem, "trial_id"]
        if len(names):
            audio |= _audio(path, "trial_id", names)
    targets = _audio(clean, "item_id", trials["item_id"])
    return audio | {clean_key(item): flac for item, flac in targets.items()}


def _audio(cell: Path | str, key: str, names: pd.Series) -> dict[str, bytes]:
    """Return the FLAC of those rows of a cell file whose column `key` is among the names."""
    rows = read_cell(cell, [key, "audio"])
    rows = rows[rows[key].isin(names)]
    return dict(zip(rows[key], rows["audio"], strict=True))


def clean_key(item: str) -> str:
    """Return the key of the target of an item, without noise, among the clips of the page."""
    return f"{item}{CLEAN}"


def _to_hear(key: str, flac: bytes) -> tuple[bytes, str]:
    """Return what a page plays, and its kind: a clip of the test bit for bit, a target as MP3."""
    return (as_mp3(flac), "mp3") if key.endswith(CLEAN) else (flac, "flac")


class Media(NamedTuple):
    """Addresses of the clips of a page by key: their audio, and their spectrograms."""

    audio: dict[str, str]
    spectrogram: dict[str, str]


def embedded(clips: Mapping[str, bytes]) -> Media:
    """Return addresses of clips, FLAC by key, that the page itself holds."""
    return Media(
        {key: audio_uri(*_to_hear(key, flac)) for key, flac in clips.items()},
        {key: spectrogram_uri(flac) for key, flac in clips.items()},
    )


def beside(clips: Mapping[str, bytes], folder: Path) -> Media:
    """Write clips, FLAC by key, and their spectrograms into a folder; return their addresses."""
    folder.mkdir(parents=True)
    audio = {}
    for key, flac in clips.items():
        playable, kind = _to_hear(key, flac)
        file = folder / f"{key}.{kind}"
        file.write_bytes(playable)
        audio[key] = f"{folder.name}/{file.name}"
        (folder / f"{key}.png").write_bytes(spectrogram_png(from_flac_bytes(flac)))
    return Media(audio, {key: f"{folder.name}/{key}.png" for key in clips})


def cards(
    answers: Answers,
    chosen: Sequence[int],
    media: Media,
    *,
    thresholds: Mapping[str, float],
    clean_ms: int,
) -> list[Card]:
    """Return a card for each chosen trial.

    Parameters
    ----------
    answers : Answers
    chosen : sequence of int
        From `choose`.
    media : Media
        From `embedded` or `beside`, of the clips of `read_clips`.
    thresholds : mapping of str to float
        Decision threshold of each variant, in the order of the card.
    clean_ms : int
        Duration of the targets.
    """
    made = []
    for row in chosen:
        trial: Row = answers.trials.loc[row].to_dict()
        key, item = trial["trial_id"], trial["item_id"]
        clip = Player(key, media.spectrogram[key], int(trial["duration_ms"]), f"clip {key}")
        clean = None
        if (longer := clean_key(item)) in media.audio:
            label = f"target of {item} without noise"
            clean = Player(longer, media.spectrogram[longer], clean_ms, label)
        p_speech, wrong = answers.p_speech.loc[row].to_dict(), answers.wrong.loc[row].to_dict()
        given = [
            Answer(variant, float(p_speech[variant]), threshold, bool(wrong[variant]))
            for variant, threshold in thresholds.items()
        ]
        made.append(Card(trial, ERRORS[str(trial["label"])], clip, clean, given))
    return made
