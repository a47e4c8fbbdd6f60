"""Render trials: an item at one SNR and one duration."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from speechdt import audio, seeds
from speechdt.activity import middle
from speechdt.cells import CATCH
from speechdt.grid import Cell
from speechdt.items import RECORDING
from speechdt.mixing import mix, set_level
from speechdt.noise import coloured


def render(
    items: pd.DataFrame,
    cells: Sequence[Cell],
    *,
    seed: int,
    level: str,
    workers: int = 1,
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Render items into cells.

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
    rows : list of dict
        Its trials (columns of `cells.SCHEMA`), in the order of the items.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    records = items.to_dict("records")
    job = partial(render_item, cells=cells, seed=seed, level=level)
    progress = {"total": len(records), "desc": "rendering items", "unit": "item"}
    with ProcessPoolExecutor(workers) as pool:
        rendered: Iterable[list[tuple[str, dict[str, Any]]]] = (
            pool.map(job, records, chunksize=8) if workers > 1 else map(job, records)
        )
        for trials in tqdm(rendered, **progress):
            for name, row in trials:
                rows[name].append(row)
    for cell in cells:
        yield cell.name, rows[cell.name]


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
                "audio": {"bytes": audio.flac_bytes(set_level(clip, level)), "path": None}
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
    return audio.read(path)
