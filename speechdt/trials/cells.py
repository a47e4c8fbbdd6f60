"""Cell files: the trials of one split, SNR and duration as Parquet.

They open with ``datasets.load_dataset("parquet", data_files=...)``: the schema carries the
features, and the audio column holds FLAC bytes. Each page has a checksum; a file that is not as it
was written is named, and set aside, so that the next run makes it anew.
"""

import glob
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from speechdt import checksums
from speechdt.audio.rate import SAMPLE_RATE

CATCH = "CATCH"
"""Label of a trial that holds background alone."""

MOST_BYTES = 500 * 1000**2
"""Audio in one file, so that none passes 512 MB."""
ROWS = 250
"""Trials in a row group: what is in memory at a time, for every cell that is being written."""

_AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema(
    [
        ("trial_id", pa.string()),
        ("item_id", pa.string()),
        ("label", pa.string()),  # SPEECH, NONSPEECH or CATCH
        ("category", pa.string()),
        ("snr_db", pa.float64()),  # null in clean and catch cells
        ("duration_ms", pa.int64()),
        ("source_id", pa.string()),  # of the target; of the background in catch cells
        ("group_id", pa.string()),  # likewise
        ("origin", pa.string()),  # likewise; empty where the background is no recording
        ("snr_speech_db", pa.float64()),  # in 300-3400 Hz; null as snr_db is
        ("snr_active_db", pa.float64()),  # of the target's active frames; likewise
        ("background", pa.string()),  # one of items.BACKGROUNDS; none in clean cells
        ("background_id", pa.string()),
        ("background_group", pa.string()),
        ("background_origin", pa.string()),  # empty where it is no recording
        ("sha256", pa.string()),  # of the FLAC bytes; CellWriter adds it
        ("audio", _AUDIO),  # 16 kHz mono FLAC
    ]
)
"""Columns of a cell file."""

_NAMES = {pa.float64(): "float64"}  # where Arrow calls a type otherwise than `datasets` does
_TABULAR = [name for name in SCHEMA.names if name != "audio"]
_ENCODING: dict[str, Any] = {
    # FLAC does not shrink any more, and no two clips are the same.
    "compression": {**dict.fromkeys(_TABULAR, "zstd"), "audio.bytes": "none", "audio.path": "zstd"},
    "use_dictionary": _TABULAR,
    "write_statistics": _TABULAR,
    "write_page_checksum": True,
}
_DAMAGE = (pa.ArrowException, ValueError)
"""What reading a damaged file raises, beside an OSError."""

# What makes `datasets.load_dataset("parquet", ...)` decode the audio column.
_HUGGING_FACE = {
    "info": {
        "features": {
            field.name: {"sampling_rate": SAMPLE_RATE, "_type": "Audio"}
            if field.name == "audio"
            else {"dtype": _NAMES.get(field.type, str(field.type)), "_type": "Value"}
            for field in SCHEMA
        }
    }
}


class CellWriter:
    """Writes the trials of a cell as they come, into several files if one would grow too large.

    ``snr0_dur200.parquet`` is followed by ``snr0_dur200-00001.parquet`` and so on. The first file
    says how many there are, so that one that is left over from an earlier run is never read.

    Parameters
    ----------
    path : path
        Of the first file.
    most_bytes : int
        A file is closed, and another begun, once it has this much audio.
    """

    def __init__(self, path: Path | str, most_bytes: int = MOST_BYTES):
        self._path, self._most_bytes = Path(path), most_bytes
        for leftover in _siblings(self._path):
            leftover.unlink()
        self._waiting: list[Mapping[str, Any]] = []
        self._waiting_bytes = self._written_bytes = 0
        self._files = 1
        self._first = self._writer = self._open(self._path)

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a trial, with the columns of `SCHEMA` but for ``sha256``."""
        digest = hashlib.sha256(row["audio"]["bytes"]).hexdigest()
        self._waiting.append({**row, "sha256": digest})
        self._waiting_bytes += len(row["audio"]["bytes"])
        if len(self._waiting) == ROWS:
            self._flush()

    def close(self) -> None:
        """Write what waits, and close the files."""
        self._flush()
        self._first.add_key_value_metadata({"files": str(self._files)})
        self._first.close()
        self._writer.close()

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._written_bytes and self._written_bytes + self._waiting_bytes > self._most_bytes:
            if self._writer is not self._first:
                self._writer.close()
            self._writer = self._open(_numbered(self._path, self._files))
            self._files += 1
            self._written_bytes = 0
        self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=self._writer.schema))
        self._written_bytes += self._waiting_bytes
        self._waiting, self._waiting_bytes = [], 0

    @staticmethod
    def _open(path: Path) -> pq.ParquetWriter:
        schema = SCHEMA.with_metadata({"huggingface": json.dumps(_HUGGING_FACE)})
        return pq.ParquetWriter(path, schema, **_ENCODING)


def write_cell(path: Path | str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the trials of a cell, columns of `SCHEMA`, to Parquet files; see `CellWriter`."""
    writer = CellWriter(path)
    for row in rows:
        writer.write(row)
    writer.close()


def cell_files(path: Path | str) -> list[Path]:
    """Return the files of a cell, the first one first."""
    path = Path(path)
    with checksums.guarded(path, *_DAMAGE):
        metadata = pq.read_metadata(path).metadata or {}
        count = int(metadata.get(b"files", 1))
    return [path] + [_numbered(path, number) for number in range(1, count)]


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number:05d}{path.suffix}")


def _siblings(path: Path) -> list[Path]:
    return list(
        path.parent.glob(f"{glob.escape(path.stem)}-[0-9][0-9][0-9][0-9][0-9]{path.suffix}")
    )


@contextmanager
def _guarded(path: Path, file: Path) -> Iterator[None]:
    """Set a cell's file aside that the block fails to read, and the first one with it.

    The workflow knows of the first alone: with that gone, it makes all of them anew.
    """
    try:
        with checksums.guarded(file, *_DAMAGE):
            yield
    except (checksums.Damaged, FileNotFoundError) as error:
        if file == path:
            raise
        line = checksums.damage_line(path, f"of its part {file.name}", checksums.set_aside(path))
        raise checksums.Damaged(line + checksums.AGAIN) from error


def read_batches(path: Path | str, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """Yield the trials of a cell a few hundred at a time; columns as for :func:`read_cell`."""
    first, *_ = files = cell_files(path)
    for name in files:
        with _guarded(first, name):
            file = _opened(name, columns)
            groups = file.num_row_groups
        for group in range(groups):
            with _guarded(first, name):
                table = file.read_row_group(group, columns=list(columns) if columns else None)
            yield _frame(table)


def read_cell(path: Path | str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a cell; its ``audio`` column, if read, becomes FLAC bytes.

    Raises
    ------
    Damaged
        If a file is not as it was written; it has been set aside.
    """
    names = list(columns) if columns else None
    tables = []
    first, *_ = files = cell_files(path)
    for file in files:
        with _guarded(first, file):
            tables.append(_opened(file, columns).read(columns=names))
    return _frame(pa.concat_tables(tables))


def read_audio(path: Path | str, rows: Sequence[int]) -> list[bytes]:
    """Return the FLAC bytes of some trials of a cell; row groups without any are not read.

    Parameters
    ----------
    path : path
    rows : sequence of int
        Places in the cell, ascending.

    Raises
    ------
    Damaged
        As :func:`read_cell`.
    """
    wanted, clips, before = np.asarray(rows), [], 0
    first, *_ = files = cell_files(path)
    for name in files:
        with _guarded(first, name):
            file = _opened(name, ["audio"])
            for group in range(file.num_row_groups):
                after = before + file.metadata.row_group(group).num_rows
                here = wanted[(wanted >= before) & (wanted < after)] - before
                if len(here):
                    clips += _flac(file.read_row_group(group, columns=["audio"]).take(here))
                before = after
    return clips


def _opened(path: Path, columns: Sequence[str] | None) -> pq.ParquetFile:
    file = pq.ParquetFile(path, page_checksum_verification=True)
    names = file.schema_arrow.names
    if other := [name for name in names if name not in SCHEMA.names]:
        raise ValueError(f"a cell has no column of the name {other[0]!r}")
    if lacking := [name for name in columns or SCHEMA.names if name not in names]:
        raise ValueError(f"it has no column {lacking[0]!r}, as one of an earlier version")
    return file


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.drop_columns(
        [name for name in ("audio",) if name in table.column_names]
    ).to_pandas()
    if "audio" in table.column_names:
        frame["audio"] = _flac(table)
    return frame


def _flac(table: pa.Table) -> list[bytes]:
    clips: list[bytes] = pc.struct_field(table["audio"], "bytes").to_pylist()
    return clips


def count_trials(path: Path | str) -> int:
    """Return the number of trials of a cell, without reading them."""
    rows = 0
    first, *_ = files = cell_files(path)
    for file in files:
        with _guarded(first, file):
            rows += int(pq.read_metadata(file).num_rows)
    return rows
