"""Conditions: one factor at a time around a neutral clip, the same items in all of them.

A clip's way: the target in its room; cut to its duration; background at the SNR (against the
target as it is in the room); channel; level. Each condition has one value of its own, and all else
from the neutral one.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt import seeds
from speechdt.audio import channel, room
from speechdt.audio.activity import middle
from speechdt.audio.io import flac_bytes
from speechdt.audio.mixing import mix, power, set_level
from speechdt.audio.speech_band import speech_band
from speechdt.trials.background_origins import RECORDING, parts
from speechdt.trials.cells import CellWriter
from speechdt.trials.grid import Grid
from speechdt.trials.items import Backgrounds, crossed, noise_deck
from speechdt.trials.rendering import AT_A_TIME, background_of, crop, decibels, in_order

NEUTRAL, LEVEL = "neutral", "level"
"""Axis of the neutral condition, and that of presentation levels, which render nothing."""
AXES = ("duration", "noise", "background", "room", "channel", LEVEL)
"""Axes, in the order of tables; `noise` is the SNR of a clip that is neutrally without."""
CLEAN = "none"
"""Background of a clip without any."""
SPLIT = "test"
"""Split whose recordings are heard."""
_RECORDED = "recorded_"
_COLUMNS = ("background_id", "background_group", "background_origin")


class Condition(NamedTuple):
    """One condition.

    Attributes
    ----------
    axis : str
        One of `AXES`, or `NEUTRAL`.
    name : str
        Its value, as text; '' of the neutral one.
    snr_db : tuple of float
        SNRs at which every item is played; empty if there is no background.
    duration_ms : int
    background : str
        A colour, `RECORDING` or `CLEAN`.
    room : str
        Reverberation time in s, or ``none``.
    channel : str
        See `channel.CHANNELS`, or ``none``.
    level : float or None
        Presentation level in dBFS; None: the detector's own.
    """

    axis: str
    name: str
    snr_db: tuple[float, ...]
    duration_ms: int
    background: str
    room: str = room.NONE
    channel: str = channel.NONE
    level: float | None = None

    @property
    def key(self) -> str:
        """Stem of its files."""
        return f"{self.axis}_{self.name}" if self.name else self.axis

    @property
    def rendered(self) -> bool:
        """Whether it has clips of its own; a level is played of the neutral ones."""
        return self.axis != LEVEL


def condition_items(
    sources: pd.DataFrame,
    conditions: Sequence[Condition],
    per_class: int,
    *,
    seed: int,
    least_active: float,
    categories: Sequence[str],
) -> pd.DataFrame:
    """Choose the items that all conditions play.

    Parameters
    ----------
    sources : DataFrame
        From `split.assign`.
    conditions : sequence of Condition
    per_class : int
        Items of each class, balanced over categories and groups.
    seed, least_active, categories
        As for `items.crossed`.

    Returns
    -------
    DataFrame
        Columns of `items.crossed`; where a condition has a recorded background, its columns also
        with `recorded_` before them.

    Raises
    ------
    TooFewSources
        As `items.crossed`.
    """
    durations = sorted({condition.duration_ms for condition in conditions})
    grid = Grid([0], durations, durations[-1])
    recorded = any(condition.background == RECORDING for condition in conditions)
    # Which origins give backgrounds, and so no targets, hangs on this alone.
    backgrounds = ["white", RECORDING] if recorded else ["white"]
    items = crossed(
        sources, SPLIT, per_class, grid, seed=seed, least_active=least_active,
        backgrounds=backgrounds, categories=categories,
    )  # fmt: skip
    if not recorded:
        return items
    noise = parts(sources, SPLIT, backgrounds).noise
    scene = Backgrounds(noise_deck(noise, SPLIT, grid, least_active, seed, backgrounds), seed)
    drawn = [
        scene.draw(item_id, RECORDING, group)
        for item_id, group in zip(items["item_id"], items["group_id"], strict=True)
    ]
    return items.join(pd.DataFrame(drawn, index=items.index).add_prefix(_RECORDED))


def write(
    items: pd.DataFrame,
    conditions: Sequence[Condition],
    files: Mapping[str, Path | str],
    responses: Mapping[str, Sequence[NDArray[np.floating]]],
    *,
    seed: int,
    level: str,
    workers: int = 1,
) -> None:
    """Render items into a file for each condition, its SNRs one after the other.

    Parameters
    ----------
    items : DataFrame
        From :func:`condition_items`.
    conditions : sequence of Condition
        Those that are rendered.
    files : mapping of str to path
        Where each goes, by its key.
    responses : mapping of str to sequence of float arrays
        Impulse responses of each room; each item is in one of them.
    seed : int
        Of synthetic backgrounds, and of which response an item is given.
    level : {"peak", "rms"}
        Rule by which clips are stored.
    workers : int
        Processes that render.
    """
    job = partial(_some, conditions=conditions, responses=responses, seed=seed, level=level)
    tasks = (
        items.iloc[start : start + AT_A_TIME].to_dict("records")
        for start in range(0, len(items), AT_A_TIME)
    )
    writers = {key: CellWriter(file) for key, file in files.items()}
    for trials in in_order(job, tasks, workers):
        for key, row in trials:
            writers[key].write(row)
    for writer in writers.values():
        writer.close()


def _some(
    items: list[dict[Any, Any]],
    conditions: Sequence[Condition],
    responses: Mapping[str, Sequence[NDArray[np.floating]]],
    seed: int,
    level: str,
) -> list[tuple[str, dict[str, Any]]]:
    return [
        (condition.key, row)
        for item in items
        for condition in conditions
        for row in trials_of(item, condition, responses, seed, level)
    ]


def trials_of(
    item: Mapping[str, Any],
    condition: Condition,
    responses: Mapping[str, Sequence[NDArray[np.floating]]],
    seed: int,
    level: str,
) -> Iterator[dict[str, Any]]:
    """Yield the trials of an item in a condition, columns of `cells.SCHEMA`."""
    behind = scenery(item, condition.background)
    target, background = sounds({**item, **behind}, condition, responses, seed)
    offset = _speech_offset_db(target, background)
    for snr_db in condition.snr_db or (None,):
        clip = played(target, background, snr_db, condition.channel)
        audio = flac_bytes(set_level(clip, level))
        at = "clean" if snr_db is None else f"snr{snr_db:g}"
        yield {
            "trial_id": f"{item['item_id']}-{condition.key}-{at}",
            **{name: item[name] for name in ("item_id", "label", "category")},
            "snr_db": snr_db,
            "duration_ms": condition.duration_ms,
            **{name: item[name] for name in ("source_id", "group_id", "origin")},
            "snr_speech_db": None if snr_db is None else snr_db + offset,
            "snr_active_db": None,
            "background": condition.background,
            **{name: behind[name] for name in _COLUMNS},
            "audio": {"bytes": audio, "path": None},
        }


def scenery(item: Mapping[str, Any], background: str) -> dict[str, Any]:
    """Return the background columns of an item in a condition with some background."""
    if background == RECORDING:
        names = ("background", *_COLUMNS, "background_path", "background_start")
        return {name: item[f"{_RECORDED}{name}"] for name in names}
    name = "" if background == CLEAN else f"{background}:{item['item_id']}"
    own = {"background_id": name, "background_group": name, "background_origin": ""}
    return {"background": background, **own}


def sounds(
    item: Mapping[str, Any],
    condition: Condition,
    responses: Mapping[str, Sequence[NDArray[np.floating]]],
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Return target, in its room, and background of an item, cut to the condition's duration."""
    target = crop(item["path"], item["start"], item["length"])
    if condition.room != room.NONE:
        of_room = responses[condition.room]
        chosen = int(seeds.generator(seed, "room", item["item_id"]).integers(len(of_room)))
        target = room.reverberant(target, of_room[chosen]).astype(np.float32)
    target = middle(target, condition.duration_ms)
    if condition.background == CLEAN:
        return target, None
    return target, middle(background_of(item, seed), condition.duration_ms)


def played(
    target: NDArray[np.float32],
    background: NDArray[np.float32] | None,
    snr_db: float | None,
    through: str,
) -> NDArray[np.floating]:
    """Return target and background at an SNR behind a channel, in which the peak is -1 dBFS."""
    clip: NDArray[np.floating] = target
    if background is not None:
        assert snr_db is not None
        clip = mix(target, background, snr_db)
    return clip if through == channel.NONE else channel.through(through, set_level(clip, "peak"))


def _speech_offset_db(target: NDArray[np.float32], background: NDArray[np.float32] | None) -> float:
    """Return by how much the SNR in the band of speech exceeds the nominal one, in dB."""
    if background is None:
        return 0.0
    shares = [power(speech_band(part)) / power(part) for part in (target, background)]
    return decibels(shares[0]) - decibels(shares[1])


def as_text(value: Any) -> str:
    """Return the value of a condition as text."""
    return value if isinstance(value, str) else f"{value:g}"


def around(
    neutral: Condition, axes: Mapping[str, Sequence[Any]], snr_of_noise: str = "white"
) -> list[Condition]:
    """Return the neutral condition and those that differ from it in one value each.

    Parameters
    ----------
    neutral : Condition
    axes : mapping
        Values of some of `AXES`.
    snr_of_noise : str
        Background of the axis `noise`.
    """
    conditions = [neutral]
    for axis in AXES:
        for value in axes.get(axis, ()):
            name = as_text(value)
            own = neutral._replace(axis=axis, name=name)
            if axis == "noise":
                own = own._replace(background=snr_of_noise, snr_db=(float(value),))
            elif axis == "duration":
                own = own._replace(duration_ms=int(value))
            elif axis == LEVEL:
                own = own._replace(level=float(value))
            elif axis == "background":
                own = own._replace(background=name)
            elif axis == "room":
                own = own._replace(room=name)
            else:
                own = own._replace(channel=name)
            conditions.append(own)
    return conditions
