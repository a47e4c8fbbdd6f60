"""Cells as a detector hears them that is trained in a container."""

from collections.abc import Iterable
from pathlib import Path

from speechdt.audio.io import flac_bytes, from_flac_bytes
from speechdt.audio.presentation import Presentation
from speechdt.trials.cells import CellWriter, read_batches


def presented_cells(
    cells: Iterable[Path | str], folder: Path, presentation: Presentation
) -> list[Path]:
    """Return cell files whose clips are presented; the cells themselves if that changes nothing.

    Parameters
    ----------
    cells : iterable of paths
    folder : Path
        Where copies go. Their clips are 16-bit FLAC, as stored ones.
    presentation : Presentation
    """
    if presentation.plain:
        return list(map(Path, cells))
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for cell in map(Path, cells):
        writer = CellWriter(folder / cell.name)
        for trials in read_batches(cell):
            for row in trials.to_dict("records"):
                played = flac_bytes(presentation(from_flac_bytes(row["audio"])))
                named = {str(name): value for name, value in row.items()}
                writer.write(named | {"audio": {"bytes": played, "path": None}})
        writer.close()
        copies.append(folder / cell.name)
    return copies
