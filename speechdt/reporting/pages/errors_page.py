"""The gallery of failures: errors.html, a page on which one can listen to what went wrong."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
import pandas as pd

from speechdt.audio.io import from_flac_bytes
from speechdt.reporting.pages.clip_player import (
    SCRIPT,
    STYLE,
    TEMPLATES,
    Player,
    audio_uri,
    spectrogram_png,
    spectrogram_uri,
)
from speechdt.reporting.pages.parts import Table
from speechdt.reporting.tables import error_rates_text as tables
from speechdt.reporting.tables.formatting import Row, explain, minus, significant
from speechdt.statistics.error_rates import ERRORS, Answers

FACTORS = {
    "category": ("Category", "category", ""),
    "snr_db": ("SNR", "SNR", "dB"),
    "duration_ms": ("Duration", "duration", "ms"),
    "background": ("Background", "background", ""),
    "language": ("Language", "language", ""),
}
"""What the tables break error rates down by: heading, name and unit of the levels."""


FIRST = 12
"""Cards that stand on the page before one asks for more."""
ODDS = 7.0
"""Log-odds at the right end of a bar; at the left end, as much the other way."""


def share(p: float) -> float:
    """Return where a probability stands on a bar of log-odds, in percent."""
    odds = np.clip(np.log(max(p, 1e-9) / max(1 - p, 1e-9)), -ODDS, ODDS)
    return round(float(50 * (1 + odds / ODDS)), 1)


class Answer(NamedTuple):
    """What one variant said to a clip: name, P(speech), threshold, and whether it is wrong."""

    variant: str
    p_speech: float
    threshold: float
    wrong: bool

    @property
    def text(self) -> str:
        """P(speech) and the threshold it was held against."""
        sign = "≥" if self.p_speech >= self.threshold else "<"
        return f"{_short(self.p_speech)} {sign} {_short(self.threshold)}"


def _short(p: float) -> str:
    """Return a probability with three significant digits, tiny ones in powers of ten."""
    return significant(p) if p >= 0.001 or p == 0 else minus(f"{p:.2g}")


class Card(NamedTuple):
    """A failure of the gallery.

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
        """What the search box looks through."""
        names = ("source_id", "group_id", "category", "language", "background", "background_id")
        found = [str(self.trial.get(name, "")) for name in names]
        return " ".join([*found, str(self.trial["trial_id"])]).lower()

    @property
    def wrong(self) -> str:
        """The variants that are wrong, between spaces."""
        return " ".join(answer.variant for answer in self.answers if answer.wrong)


def choose(answers: Answers, sources: pd.DataFrame, most: int) -> list[int]:
    """Choose failures: of every recording its worst, then of every one its second worst, and so on.

    Recordings come in the order of `failures.error_sources`. A trial is worse if more variants get
    it wrong, then if it is in less noise, then if it is longer.

    Parameters
    ----------
    answers : Answers
    sources : DataFrame
        From `failures.error_sources`.
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


class Media(NamedTuple):
    """Addresses of the clips of a page by key: their audio, and their spectrograms."""

    audio: dict[str, str]
    spectrogram: dict[str, str]


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
        From `embedded` or `beside`: the chosen trials by trial, and their targets without noise by
        `clean_key`.
    thresholds : mapping of str to float
        Decision threshold of each variant, in the order of `answers`.
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
        said = zip(thresholds, answers.p_speech.loc[row], answers.wrong.loc[row], strict=True)
        given = [
            Answer(variant, float(p), thresholds[variant], bool(wrong))
            for variant, p, wrong in said
        ]
        made.append(Card(trial, ERRORS[str(trial["label"])], clip, clean, given))
    return made


def clean_key(item: str) -> str:
    """Return what the target of an item without noise is called among the page's audio."""
    return f"{item}-clean"


def embedded(clips: Mapping[str, bytes]) -> Media:
    """Return addresses of clips, FLAC by key, that the page itself holds."""
    return Media(
        {key: audio_uri(flac) for key, flac in clips.items()},
        {key: spectrogram_uri(flac) for key, flac in clips.items()},
    )


def beside(clips: Mapping[str, bytes], folder: Path) -> Media:
    """Write clips, FLAC by key, and their spectrograms into a folder; return their addresses."""
    folder.mkdir(parents=True)
    for key, flac in clips.items():
        (folder / f"{key}.flac").write_bytes(flac)
        (folder / f"{key}.png").write_bytes(spectrogram_png(from_flac_bytes(flac)))
    return Media(
        {key: f"{folder.name}/{key}.flac" for key in clips},
        {key: f"{folder.name}/{key}.png" for key in clips},
    )


def render(
    *,
    cards: Sequence[Card],
    addresses: Mapping[str, str],
    failures: int,
    trials: int,
    variants: Sequence[str],
    rates: pd.DataFrame,
    common: pd.DataFrame,
    pairs: pd.DataFrame,
    sources: pd.DataFrame,
    notes: Sequence[str],
) -> str:
    """Return the page.

    Parameters
    ----------
    cards : sequence of Card
        In the order of the page.
    addresses : mapping of str to str
        Audio of the clips, from `embedded` or `beside`.
    failures, trials : int
        Trials that at least one variant gets wrong, and all.
    variants : sequence of str
    rates, common, pairs, sources : DataFrame
        Tables errors, errors_common, errors_pairs and error_sources.
    notes : sequence of str
        What must be said of stand-in models.
    """
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(TEMPLATES),
    )
    environment.filters |= {"zip": zip, "minus": minus, "share": share}
    return environment.get_template("errors.html.j2").render(
        cards=cards,
        # Inside a script element only "</" could end it early.
        first=FIRST,
        addresses=json.dumps(dict(addresses)).replace("</", "<\\/"),
        failures=failures,
        trials=trials,
        variants=variants,
        errors=list(ERRORS.values()),
        snrs=_levels(cards, "snr_db"),
        durations=_levels(cards, "duration_ms"),
        categories=sorted({card.trial["category"] for card in cards}),
        breakdowns=breakdowns(rates),
        source_tables=source_tables(sources),
        common_tables=common_tables(common, pairs, variants),
        notes=notes,
        explain=explain,
        style=STYLE,
        script=SCRIPT,
    )


def _levels(cards: Sequence[Card], name: str) -> list[str]:
    return [f"{level:g}" for level in sorted({float(card.trial[name]) for card in cards})]


def breakdowns(rates: pd.DataFrame) -> list[Table]:
    """Return a table for each error and factor that has more than one level, then speakers."""
    made = []
    for error in ERRORS.values():
        for by, (heading, called, unit) in FACTORS.items():
            cells = tables.rate_table(rates, error, by, heading, unit)
            if len(cells) > 1:
                name = f"{error}-{by}".replace(" ", "-").replace("_", "-")
                made.append(Table(name, f"{error.capitalize()} (%) by {called}.", cells))
    speakers = tables.worst_first(rates, tables.MISSED, "group_id")
    if len(speakers):
        cells = tables.rate_table(speakers, tables.MISSED, "group_id", "Speaker")
        caption = "Missed (%) by speaker, worst first; intervals over the speaker's recordings."
        made.append(Table("missed-speaker", caption, cells))
    return made


def source_tables(sources: pd.DataFrame) -> list[Table]:
    """Return the recordings of each class that are most often decided wrongly."""
    captions = {
        tables.FALSE_ALARM: "Recordings that draw most false alarms: percent of their trials, "
        "as the mean of all variants and of each; excess: over the mean of their class.",
        tables.MISSED: "Recordings that are missed most: the same.",
    }
    made = []
    for error, caption in captions.items():
        cells = tables.source_table(sources, error)
        if len(cells):
            made.append(Table(f"sources-{error}".replace(" ", "-"), caption, cells))
    return made


def common_tables(
    common: pd.DataFrame, pairs: pd.DataFrame, variants: Sequence[str]
) -> list[Table]:
    """Return what tells common errors from those of one variant."""
    made = [
        Table(
            "wrong-by",
            "Percent of trials that so many variants get wrong.",
            tables.wrong_by_table(common),
        ),
        Table(
            "alone",
            "Errors of each variant, and which share of them no other or every variant makes.",
            tables.common_table(common),
        ),
    ]
    if len(variants) > 1:
        caption = (
            "Error consistency (Cohen's κ of right and wrong): 1 if two variants err on the same "
            "trials, 0 if only as often on the same ones as by chance."
        )
        made.append(Table("consistency", caption, tables.pairs_table(pairs, variants)))
    return made


def clips_of(answers: Answers, chosen: Sequence[int]) -> dict[str, list[str]]:
    """Return the chosen trials by cell, so that each cell file is read once."""
    trials = answers.trials.loc[list(chosen), ["cell", "trial_id"]]
    found = trials.groupby("cell")["trial_id"].agg(list)
    return {str(cell): list(np.asarray(names)) for cell, names in found.items()}
