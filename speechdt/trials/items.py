"""Items: which crop of which source stands before which crop of which background.

An item is one crop of one source and one crop of background. Every choice follows from the seed
and the item's name, so that the same configuration gives the same bytes.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from speechdt import seeds
from speechdt.audio.noise import COLOURS
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.corpus.sources import CATEGORIES
from speechdt.errors import SpeechdtError
from speechdt.trials.background_origins import RECORDING, parts
from speechdt.trials.dealing import Deck, FairDeck
from speechdt.trials.grid import Cell, Grid

BACKGROUNDS = (*COLOURS, RECORDING)
NONSPEECH = CATEGORIES["NONSPEECH"]


class TooFewSources(SpeechdtError):
    """A class or a cell runs dry; the message is one line saying which, and how many lack."""


class Backgrounds:
    """Draws the background of an item: noise of a colour, or a recording of noise."""

    def __init__(self, recordings: Deck, seed: int):
        self._recordings = recordings
        self._seed = seed

    def draw(self, item_id: str, kind: str, target_group: str) -> dict[str, Any]:
        """Return the background columns of an item."""
        if kind != RECORDING:
            return {
                "background": kind,
                "background_id": f"{kind}:{item_id}",
                "background_group": f"{kind}:{item_id}",
                "background_origin": "",
                "background_path": "",
                "background_start": 0,
            }
        rng = seeds.generator(self._seed, "background", item_id)
        source, start = self._recordings.deal(rng, other_than=target_group)
        return {
            "background": RECORDING,
            "background_id": source["source_id"],
            "background_group": source["group_id"],
            "background_origin": source["origin"],
            "background_path": source["path"],
            "background_start": start,
        }


def check_classes(
    sources: pd.DataFrame, per_class: Mapping[str, int], categories: Sequence[str] = NONSPEECH
) -> None:
    """Check, before anything is made of a corpus, that it has both classes and all categories.

    Parameters
    ----------
    sources : DataFrame
        With the column ``category``.
    per_class : mapping of str to int
        Items of each class that each split is to have.
    categories : sequence of str
        Categories of NONSPEECH that are to be there.

    Raises
    ------
    TooFewSources
        If a class or category is missing.
    """
    for split, count in per_class.items():
        for label in CATEGORIES:
            _shares(sources, label, count, split, categories)


def crossed(
    sources: pd.DataFrame,
    split: str,
    per_class: int,
    grid: Grid,
    *,
    seed: int,
    least_active: float,
    backgrounds: Sequence[str] = BACKGROUNDS,
    categories: Sequence[str] = NONSPEECH,
) -> pd.DataFrame:
    """Choose the items of dev or test, each of which stands in every cell.

    Parameters
    ----------
    sources : DataFrame
        From `split.assign`.
    split : {"dev", "test"}
    per_class : int
        Items of each class, balanced over categories and groups.
    grid : Grid
    seed : int
    least_active : float
        Least active share of a crop at each duration.
    backgrounds, categories : sequences of str
        Kinds of background (see `background_origins.parts`), and categories of NONSPEECH, each in
        equal parts.

    Returns
    -------
    DataFrame
        item_id, label, category, source_id, group_id, origin, path, start and length (samples);
        background and, beginning with background_: id, group, origin, path, start.

    Raises
    ------
    TooFewSources
        If a class or category has no source, or none in this split that is active for long enough.
    """
    longest = max(grid.nested_ms)
    here, noise, _ = parts(sources, split, backgrounds)
    decks = {
        category: Deck(here[here["category"] == category], grid.nested_ms, least_active, seed,
                       f"{split}/{category}")
        for category in sources["category"].unique()
    }  # fmt: skip
    scene = Backgrounds(noise_deck(noise, split, grid, least_active, seed, backgrounds), seed)
    rows = []
    for label in CATEGORIES:
        kinds = _Kinds(backgrounds, per_class, seeds.generator(seed, split, label))
        numbers = itertools.count()
        for category, share in _shares(sources, label, per_class, split, categories).items():
            if share and not len(decks[category]):
                raise TooFewSources(_runs_dry(split, label, category, longest, share))
            for number in itertools.islice(numbers, share):
                item_id = f"{split}-{category}-{number:05d}"
                source, start = decks[category].deal(seeds.generator(seed, "crop", item_id))
                scenery = scene.draw(item_id, kinds.next(source["group_id"]), source["group_id"])
                rows.append(item_of(item_id, source, start, longest) | scenery)
    return pd.DataFrame(rows)


def _runs_dry(split: str, label: str, category: str, longest_ms: int, share: int) -> str:
    return (
        f"{split}: no group of {label} '{category}' has a source that is active for "
        f"{longest_ms} ms; {share} items are missing"
    )


def uncrossed(
    sources: pd.DataFrame,
    clips: int,
    grid: Grid,
    *,
    seed: int,
    least_active: float,
    backgrounds: Sequence[str] = BACKGROUNDS,
    categories: Sequence[str] = NONSPEECH,
) -> pd.DataFrame:
    """Choose the items of train: a fresh crop and background for each clip, one cell each.

    The first n clips of any n are balanced over the cells of both classes to ± 1, so that a
    smaller training set is the beginning of a larger one. Groups get their fair share over all
    cells of a category together (:class:`decks.FairDeck`).

    Parameters
    ----------
    sources, grid, seed, least_active, backgrounds, categories
        As for :func:`crossed`.
    clips : int
        Number of clips, of both classes together.

    Returns
    -------
    DataFrame
        Columns of :func:`crossed`, and snr_db, duration_ms.
    """
    here, noise, _ = parts(sources, "train", backgrounds)
    of_class = {
        label: list(_shares(sources, label, 1, "train", categories)) for label in CATEGORIES
    }
    decks = {
        category: FairDeck(
            here[here["category"] == category], grid.duration_ms, least_active, seed,
            f"train/{category}",
        )
        for members in of_class.values() for category in members
    }  # fmt: skip
    scene = Backgrounds(noise_deck(noise, "train", grid, least_active, seed, backgrounds), seed)
    rows = []
    for number, (label, category, cell, kind) in enumerate(
        _turns(clips, grid, of_class, backgrounds, seed)
    ):
        deck = decks[category]
        if not deck.groups(cell.duration_ms):
            raise TooFewSources(
                f"train: no group of {label} '{category}' has a source that is active for "
                f"{cell.duration_ms} ms; cell {cell.name} cannot be filled"
            )
        item_id = f"train-{category}-{number:06d}"
        source, start = deck.deal(seeds.generator(seed, "crop", item_id), cell.duration_ms)
        rows.append(
            item_of(item_id, source, start, cell.duration_ms)
            | scene.draw(item_id, kind, source["group_id"])
            | {"snr_db": cell.snr_db, "duration_ms": cell.duration_ms}
        )
    return pd.DataFrame(rows)


def _turns(
    clips: int,
    grid: Grid,
    of_class: Mapping[str, Sequence[str]],
    backgrounds: Sequence[str],
    seed: int,
) -> Iterator[tuple[str, str, Cell, str]]:
    """Yield label, category, cell and background of each clip of train.

    A turn goes through all class cells in an order of its own; over the turns, every cell goes
    through all categories and all backgrounds.
    """
    class_cells = [(label, cell) for label in CATEGORIES for cell in grid.noisy]
    for number in range(clips):
        turn, place = divmod(number, len(class_cells))
        chosen = seeds.generator(seed, "train", turn).permutation(len(class_cells))[place]
        label, cell = class_cells[chosen]
        members = of_class[label]
        category = members[(turn + chosen) % len(members)]
        kind = backgrounds[(turn // len(members) + chosen) % len(backgrounds)]
        yield label, category, cell, kind


def item_of(item_id: str, source: dict[str, Any], start: int, length_ms: int) -> dict[str, Any]:
    """Return the columns of an item that are about its target."""
    names = ("label", "category", "source_id", "group_id", "origin", "path")
    return {
        "item_id": item_id,
        **{name: source[name] for name in names},
        "start": start,
        "length": length_ms * SAMPLE_RATE // 1000,
    }


def noise_deck(
    noise: pd.DataFrame,
    split: str,
    grid: Grid,
    least_active: float,
    seed: int,
    backgrounds: Sequence[str],
) -> Deck:
    """Return the deck of recorded backgrounds of a split.

    Raises
    ------
    TooFewSources
        If they are asked for and there are none.
    """
    deck = Deck(noise, grid.nested_ms, least_active, seed, f"{split}/background")
    if RECORDING in backgrounds and len(deck) < 2:
        raise TooFewSources(
            f"{split}: recorded backgrounds need 2 groups of 'noise' of {max(grid.nested_ms)} ms, "
            f"{2 - len(deck)} missing; or leave 'recording' out of trials.backgrounds"
        )
    return deck


def _shares(
    sources: pd.DataFrame, label: str, total: int, split: str, categories: Sequence[str]
) -> dict[str, int]:
    """Divide `total` items equally over the categories of a class."""
    there = set(sources["category"])
    if not there & set(CATEGORIES[label]):
        raise TooFewSources(f"{split}: the corpus has no {label} source; {total} items are missing")
    wanted = [c for c in CATEGORIES[label] if label == "SPEECH" or c in categories]
    least, over = divmod(total, len(wanted))
    shares = {category: least + (place < over) for place, category in enumerate(wanted)}
    for category, share in shares.items():
        if category not in there:
            raise TooFewSources(
                f"{split}: the corpus has no {label} source of category '{category}'; {share} "
                "items are missing; or leave it out of trials.categories"
            )
    return shares


class _Kinds:
    """Kinds of background in equal parts, each before as many different groups as can be.

    What holds in one kind of background rests on groups, not on clips: a group that comes again is
    given a kind that it has not had.
    """

    def __init__(self, kinds: Sequence[str], count: int, rng: np.random.Generator):
        least, over = divmod(count, len(kinds))
        more = set(rng.permutation(len(kinds))[:over])
        self._left = {kind: least + (place in more) for place, kind in enumerate(kinds)}
        self._had: Counter[tuple[str, str]] = Counter()
        self._rng = rng

    def next(self, group: str) -> str:
        """Return the kind of the next item of a group."""
        open_ = [kind for kind, left in self._left.items() if left]
        fewest = min(self._had[group, kind] for kind in open_)
        able = [kind for kind in open_ if self._had[group, kind] == fewest]
        most = max(self._left[kind] for kind in able)
        chosen = str(self._rng.choice([kind for kind in able if self._left[kind] == most]))
        self._left[chosen] -= 1
        self._had[group, chosen] += 1
        return chosen
