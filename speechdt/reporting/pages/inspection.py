"""Inspection page: recordings and trials drawn at random, to be listened to and marked.

Everything is in the page, so that it can be sent to whoever has ears and a browser. Marks are saved
as a CSV file that the configuration takes under ``exclude``.
"""

import base64
import hashlib
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from speechdt import seeds
from speechdt.audio import io as audio_io
from speechdt.audio.mixing import set_level
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.corpus.sources import CATEGORIES
from speechdt.reporting.pages.clip_player import (
    SCRIPT,
    STYLE,
    Player,
    audio_uri,
    spectrogram_uri,
)
from speechdt.reporting.pages.environment import template, text
from speechdt.reporting.tables.formatting import minus
from speechdt.trials.cells import read_batches

EACH = 100
"""Recordings, and trials, of each class."""
LONGEST = 4 * SAMPLE_RATE
"""Samples of a recording that the page holds."""
WIDTH, HEIGHT = 240, 32
"""Pixels of a waveform."""
INK = (0, 114, 178)
TITLES = {
    "doubted": "Called {label}, and contradicted by all detectors",
    "source": "{label} sources",
    "trial": "{label} trials",
    "condition": "One {label} recording in every condition",
}
"""Titles of the sections, by the kind of their cards."""


class Card(NamedTuple):
    """One recording or trial on the page.

    Attributes
    ----------
    kind : {"doubted", "source", "trial", "condition"}
        A doubted one is a recording whose label detectors contradict.
    name : str
        source_id or trial_id.
    source_id : str
        Recording that a mark leaves out.
    background_id : str
        Recording behind it that a second mark leaves out, '' if there is none.
    label : str
        SPEECH or NONSPEECH.
    category : str
        Of the recording.
    flagged : bool
        By hygiene.
    facts : dict
        What is written beside it, by heading.
    player : Player
    waveform : str
        Data URI of a PNG.
    flac : str
        Data URI of the audio.
    """

    kind: str
    name: str
    source_id: str
    background_id: str
    label: str
    category: str
    flagged: bool
    facts: dict[str, str]
    player: Player
    waveform: str
    flac: str


def draw(names: Iterable[str], count: int, seed: int, what: str) -> list[str]:
    """Draw at most `count` of the names, the same for the same seed, in a random order."""
    return sorted(names, key=lambda name: seeds.rank(seed, "inspect", what, name))[:count]


def source_cards(
    sources: pd.DataFrame, seed: int, count: int = EACH, flagged: Collection[str] = ()
) -> list[Card]:
    """Return cards of random recordings of each class.

    Parameters
    ----------
    sources : DataFrame
        source_id, path, label, category, group_id, split, seconds.
    seed : int
    count : int
        Of each class.
    flagged : collection of str
        Recordings that hygiene flags.
    """
    by_id = sources.set_index("source_id", drop=False)
    drawn = [
        name
        for label in CATEGORIES
        for name in draw(by_id.index[by_id["label"] == label], count, seed, label)
    ]
    return [_source_card("source", row, flagged) for row in by_id.loc[drawn].to_dict("records")]


def doubted_cards(
    sources: pd.DataFrame, doubted: Sequence[str], flagged: Collection[str] = ()
) -> list[Card]:
    """Return cards of the recordings whose label detectors contradict, in the order of the list."""
    by_id = sources.set_index("source_id", drop=False)
    rows = by_id.loc[list(doubted)].to_dict("records")
    return [_source_card("doubted", row, flagged) for row in rows]


def _source_card(kind: str, row: Mapping[Any, Any], flagged: Collection[str]) -> Card:
    facts = {
        "label": row["label"],
        "category": row["category"],
        "group": row["group_id"],
        "split": row["split"],
        "length": f"{row['seconds']:.2f} s",
    }
    flac = audio_io.flac_bytes(_excerpt(row["path"]))
    return card_of(kind, row["source_id"], {**row, "background_id": ""}, facts, flac, flagged)


def trial_cards(
    cells: Sequence[Path | str], seed: int, count: int = EACH, flagged: Collection[str] = ()
) -> list[Card]:
    """Return cards of random trials of each class.

    Parameters
    ----------
    cells : sequence of paths
        Cell files of dev and test.
    seed : int
    count : int
        Of each class.
    flagged : collection of str
        Recordings that hygiene flags.
    """
    names: dict[str, list[str]] = {label: [] for label in CATEGORIES}
    for batch in _batches(cells, ["trial_id", "label"]):
        for label, ids in batch.groupby("label")["trial_id"]:
            if label in names:
                names[str(label)] += ids.tolist()
    drawn = {label: draw(ids, count, seed, f"trial {label}") for label, ids in names.items()}
    wanted = set(chain.from_iterable(drawn.values()))
    rows = {
        row["trial_id"]: row
        for batch in _batches(cells, None)
        for row in batch[batch["trial_id"].isin(wanted)].to_dict("records")
    }
    return [_trial_card(rows[name], flagged) for ids in drawn.values() for name in ids]


def _batches(cells: Sequence[Path | str], columns: Sequence[str] | None) -> Iterable[pd.DataFrame]:
    return chain.from_iterable(read_batches(cell, columns) for cell in cells)


def _trial_card(row: Mapping[Any, Any], flagged: Collection[str]) -> Card:
    snr = row["snr_db"]
    facts = {
        "label": row["label"],
        "category": row["category"],
        "source": row["source_id"],
        "SNR": "no noise" if pd.isna(snr) else f"{minus(f'{snr:g}')} dB",
        "length": f"{row['duration_ms']} ms",
        "background": row["background"],
    }
    recorded = row["background"] == "recording"
    behind = row["background_id"] if recorded else ""
    if recorded:
        facts["background"] = behind
    row = {**row, "background_id": behind}
    return card_of("trial", row["trial_id"], row, facts, row["audio"], flagged)


def card_of(
    kind: str,
    name: str,
    row: Mapping[Any, Any],
    facts: dict[str, str],
    flac: bytes,
    flagged: Collection[str],
) -> Card:
    """Return the card of a clip.

    Parameters
    ----------
    kind, name : str
        As of `Card`.
    row : mapping
        label, category, source_id and background_id.
    facts : dict of str
        What is written beside it.
    flac : bytes
    flagged : collection of str
        Recordings that hygiene flags.
    """
    samples = audio_io.from_flac_bytes(flac)
    label = f"{row['label']} {row['category']} {name}"
    milliseconds = 1000 * len(samples) // SAMPLE_RATE
    return Card(
        kind,
        name,
        row["source_id"],
        row["background_id"],
        row["label"],
        row["category"],
        row["source_id"] in flagged or row["background_id"] in flagged,
        facts,
        Player(name, spectrogram_uri(flac), milliseconds, label),
        waveform_uri(samples),
        audio_uri(flac),
    )


def _excerpt(path: str) -> NDArray[np.float32]:
    """Return the beginning of a recording, as loud as a trial."""
    return set_level(audio_io.read(path)[:LONGEST], "peak")


def waveform_uri(samples: NDArray[np.float32]) -> str:
    """Draw the highest and lowest samples over time as a small PNG, as a data URI."""
    columns = np.array_split(samples, min(WIDTH, len(samples)))
    loudest = max(float(np.abs(samples).max()), 1e-9)
    middle = (HEIGHT - 1) / 2
    top = [middle * (1 - float(part.max()) / loudest) for part in columns]
    bottom = [middle * (1 - float(part.min()) / loudest) for part in columns]
    row = np.arange(HEIGHT)[:, None]
    inked = (row >= np.floor(top)) & (row <= np.ceil(bottom))
    image = Image.fromarray(inked.astype(np.uint8))
    image.putpalette([*(0, 0, 0), *INK])
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, bits=1, transparency=0)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def page(
    sources: pd.DataFrame,
    cells: Sequence[Path | str],
    seed: int,
    flagged: Collection[str] = (),
    doubted: Sequence[str] = (),
    more: Sequence[Card] = (),
) -> str:
    """Return the page: recordings in doubt, `EACH` others, and as many trials, of each class.

    Parameters
    ----------
    sources : DataFrame
        As for `source_cards`.
    cells : sequence of paths
        Cell files of dev and test.
    seed : int
    flagged : collection of str
        Recordings that hygiene flags.
    doubted : sequence of str
        Recordings whose label detectors contradict, those of the greatest doubt first; at most
        `EACH` of them are on the page.
    more : sequence of Card
        Others, behind these.
    """
    cards = doubted_cards(sources, doubted[:EACH], flagged)
    others = sources[~sources["source_id"].isin(doubted[:EACH])]
    cards += source_cards(others, seed, flagged=flagged)
    cards += [*trial_cards(cells, seed, flagged=flagged), *more]
    names = "\n".join(card.name for card in cards)
    return render(cards, run=hashlib.sha256(names.encode()).hexdigest()[:12])


def render(cards: Sequence[Card], run: str) -> str:
    """Return the page.

    Parameters
    ----------
    cards : sequence of Card
    run : str
        Name of the run: marks that a browser keeps belong to it.
    """
    sections = {
        f"{kind}-{label}": {
            "title": title.format(label=label),
            "cards": [card for card in cards if (card.kind, card.label) == (kind, label)],
        }
        for kind, title in TITLES.items()
        for label in CATEGORIES
    }
    sections = {
        name: section
        for name, section in sections.items()
        if section["cards"] or not name.startswith(("doubted", "condition"))
    }
    return template("inspect.html.j2").render(
        sections=sections,
        store={card.name: card.flac for card in cards},
        run=run,
        seconds=LONGEST // SAMPLE_RATE,
        style=text("page.css") + STYLE,
        scripts=[SCRIPT, text("inspect.js")],
    )
