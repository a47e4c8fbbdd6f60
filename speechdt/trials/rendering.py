"""Rendering of trials: an item at one SNR and one duration."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from speechdt import seeds
from speechdt.audio import io as audio_io
from speechdt.audio.activity import middle
from speechdt.audio.mixing import mix, set_level
from speechdt.audio.noise import coloured
from speechdt.trials.cells import CATCH, CellWriter
from speechdt.trials.grid import Cell
from speechdt.trials.items import RECORDING

AT_A_TIME = 16
"""Items that a process renders before it hands them over."""

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
    with tqdm(total=len(items), desc="rendering items", unit="item") as progress:
        for trials in _in_order(job, some, workers):
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


def _in_order(
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
    target = _crop(item["path"], item["start"], item["length"])
    background = _background(item, seed)
    own = (item["snr_db"], item["duration_ms"]) if "snr_db" in item else None
    rendered = []
    for cell in cells:
        if own is None or own == (cell.snr_db, cell.duration_ms):
            clip = _clip(target, background, cell)
            row = _row(item, cell) | {
                "audio": {"bytes": audio_io.flac_bytes(set_level(clip, level)), "path": None}
            }
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
        "background": item["background"],
        "background_id": item["background_id"],
        "background_group": item["background_group"],
    }
    if cell.kind == "clean":
        row |= {"background": "none", "background_id": "", "background_group": ""}
    if cell.kind == "catch":
        row |= {
            "label": CATCH,
            "category": item["background"],
            "source_id": item["background_id"],
            "group_id": item["background_group"],
        }
    return row


def _background(item: Mapping[str, Any], seed: int) -> NDArray[np.float32]:
    if item["background"] == RECORDING:
        return _crop(item["background_path"], item["background_start"], item["length"])
    rng = seeds.generator(seed, "noise", item["item_id"])
    return coloured(item["background"], item["length"], rng)


def _crop(path: str, start: int, length: int) -> NDArray[np.float32]:
    return _recording(path)[start : start + length]


@lru_cache(maxsize=64)
def _recording(path: str) -> NDArray[np.float32]:
    return audio_io.read(path)
