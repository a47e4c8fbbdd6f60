"""Rendering of trials: an item at one SNR and one duration."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt import seeds
from speechdt.audio import io as audio_io
from speechdt.audio.activity import FRAME, active_frames, middle
from speechdt.audio.mixing import mix, power, set_level
from speechdt.audio.noise import coloured
from speechdt.audio.speech_band import speech_band
from speechdt.progress import progress as progress_bar
from speechdt.trials.background_origins import RECORDING
from speechdt.trials.cells import CATCH, CellWriter
from speechdt.trials.grid import Cell

AT_A_TIME = 16
"""Items that a process renders before it hands them over."""
KEPT_BYTES = 32 * 2**20
"""Recordings that a process keeps when it reads another, of which an hour takes 220 MiB."""

_BACKGROUND = ("background_id", "background_group", "background_origin")
_Items = list[dict[Any, Any]]
_Trials = list[tuple[str, dict[str, Any]]]


def render(
    items: pd.DataFrame,
    cells: Sequence[Cell],
    *,
    seed: int,
    level: str,
    workers: int = 1,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Render items into cells, a trial at a time: what is in memory does not grow with the items.

    Parameters
    ----------
    items : DataFrame
        From `items.crossed` (every item goes into every cell) or `items.uncrossed` (every item
        goes into the cell of its own snr_db and duration_ms).
    cells : sequence of Cell
    seed : int
        Seed of the synthetic backgrounds.
    level : {"peak", "rms"}
        Level rule, see `mixing.set_level`.
    workers : int
        Processes that render.

    Yields
    ------
    name : str
        Name of the cell.
    row : dict
        The trial (columns of `cells.SCHEMA`); those of a cell come in the order of the items.
    """
    job = partial(_render_some, cells=cells, seed=seed, level=level)
    some = (
        items.iloc[start : start + AT_A_TIME].to_dict("records")
        for start in range(0, len(items), AT_A_TIME)
    )
    with progress_bar(total=len(items), desc="rendering items", unit="item") as progress:
        for trials in in_order(job, some, workers):
            yield from trials
            progress.update(min(AT_A_TIME, len(items) - progress.n))


def write(
    items: pd.DataFrame, cells: Sequence[Cell], files: Mapping[str, Path | str], **settings: Any
) -> None:
    """Render items into cell files.

    Parameters
    ----------
    items, cells
        As for :func:`render`, as are the settings.
    files : mapping of str to path
        Where each cell goes, by name.
    """
    writers = {cell.name: CellWriter(files[cell.name]) for cell in cells}
    for name, row in render(items, cells, **settings):
        writers[name].write(row)
    for writer in writers.values():
        writer.close()


def in_order(
    job: Callable[[_Items], _Trials], tasks: Iterator[_Items], workers: int
) -> Iterator[_Trials]:
    """Yield the job's results in the order of its tasks, a few of which run ahead."""
    if workers == 1:
        yield from map(job, tasks)
        return
    waiting: deque[Future[_Trials]] = deque()
    with ProcessPoolExecutor(workers) as pool:
        for task in tasks:
            waiting.append(pool.submit(job, task))
            if len(waiting) > 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _render_some(items: _Items, cells: Sequence[Cell], seed: int, level: str) -> _Trials:
    return [trial for item in items for trial in render_item(item, cells, seed, level)]


def render_item(
    item: Mapping[str, Any], cells: Sequence[Cell], seed: int, level: str
) -> list[tuple[str, dict[str, Any]]]:
    """Render one item into its cells; see :func:`render`."""
    target = crop(item["path"], item["start"], item["length"])
    background = background_of(item, seed)
    further = _FurtherSnrs(item, target, background)
    own = (item["snr_db"], item["duration_ms"]) if "snr_db" in item else None
    rendered = []
    for cell in cells:
        if own is None or own == (cell.snr_db, cell.duration_ms):
            clip = _clip(target, background, cell)
            row = _row(item, cell) | further.of(cell)
            row |= {"audio": {"bytes": audio_io.flac_bytes(set_level(clip, level)), "path": None}}
            rendered.append((cell.name, row))
    return rendered


def _clip(
    target: NDArray[np.float32], background: NDArray[np.float32], cell: Cell
) -> NDArray[np.floating]:
    target, background = (middle(x, cell.duration_ms) for x in (target, background))
    if cell.kind == "clean":
        return target
    if cell.kind == "catch":
        return background
    assert cell.snr_db is not None
    return mix(target, background, cell.snr_db)


def _row(item: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    row = {
        "trial_id": f"{item['item_id']}-{cell.name}",
        "item_id": item["item_id"],
        "label": item["label"],
        "category": item["category"],
        "snr_db": cell.snr_db,
        "duration_ms": cell.duration_ms,
        "source_id": item["source_id"],
        "group_id": item["group_id"],
        "origin": item["origin"],
        "background": item["background"],
        **{name: item[name] for name in _BACKGROUND},
    }
    if cell.kind == "clean":
        row |= {"background": "none", **dict.fromkeys(_BACKGROUND, "")}
    if cell.kind == "catch":
        row |= {
            "label": CATCH,
            "category": item["background"],
            "source_id": item["background_id"],
            "group_id": item["background_group"],
            "origin": item["background_origin"],
        }
    return row


class _FurtherSnrs:
    """SNRs of an item in the band of speech, and where its target is active.

    Of a recording it is known which frames are active; as in ITU-T P.56 the pauses count in the
    noise's power and not in the target's.
    """

    def __init__(
        self,
        item: Mapping[str, Any],
        target: NDArray[np.float32],
        background: NDArray[np.float32],
    ):
        self._target, self._background = target, background
        self._band = speech_band(target), speech_band(background)
        self._active = _active(item["path"], item["start"], item["length"])

    def of(self, cell: Cell) -> dict[str, float | None]:
        """Return snr_speech_db and snr_active_db of the trial in a cell; None if it has no SNR."""
        if cell.snr_db is None:
            return {"snr_speech_db": None, "snr_active_db": None}
        target = middle(self._target, cell.duration_ms)
        noise = power(middle(self._background, cell.duration_ms))
        in_target, in_noise = (power(middle(x, cell.duration_ms)) for x in self._band)
        active = target[middle(self._active, cell.duration_ms)]
        return {
            "snr_speech_db": cell.snr_db
            + decibels(in_target / power(target))
            - decibels(in_noise / noise),
            "snr_active_db": cell.snr_db + decibels(power(active) / power(target))
            if len(active)
            else None,
        }


def decibels(ratio: float) -> float:
    """Return a ratio of powers in dB; of nothing -300."""
    return float(10 * np.log10(max(ratio, 1e-30)))


def background_of(item: Mapping[str, Any], seed: int) -> NDArray[np.float32]:
    """Return the background of an item, as long as its target."""
    if item["background"] == RECORDING:
        return crop(item["background_path"], item["background_start"], item["length"])
    rng = seeds.generator(seed, "noise", item["item_id"])
    return coloured(item["background"], item["length"], rng)


class _Recordings:
    """Recordings that were read last, as many as fit into some bytes, and at least one."""

    def __init__(self, most_bytes: int):
        self._most = most_bytes
        self._kept: dict[str, tuple[NDArray[np.float32], NDArray[np.bool_]]] = {}

    def of(self, path: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the samples of a recording, and which of its frames are active."""
        entry = self._kept.pop(path, None)
        if entry is None:
            while self._kept and sum(kept.nbytes for kept, _ in self._kept.values()) > self._most:
                del self._kept[next(iter(self._kept))]
            samples = audio_io.read(path)
            entry = samples, active_frames(samples)
        self._kept[path] = entry
        return entry


_recordings = _Recordings(KEPT_BYTES)


def _active(path: str, start: int, length: int) -> NDArray[np.bool_]:
    """Return which samples of a crop of a recording lie in active frames."""
    frames = _recordings.of(path)[1][start // FRAME : -(-(start + length) // FRAME)]
    active: NDArray[np.bool_] = np.zeros(length, dtype=bool)
    flags = np.repeat(frames, FRAME)[start % FRAME :][:length]
    active[: len(flags)] = flags
    return active


def crop(path: str, start: int, length: int) -> NDArray[np.float32]:
    """Return a part of a recording; start and length in samples."""
    return _recordings.of(path)[0][start : start + length]
