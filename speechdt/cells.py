"""Cell files: the trials of one split, SNR and duration, one Parquet file each.

They open with ``datasets.load_dataset("parquet", data_files=...)``: the schema carries the
features, and the audio column holds FLAC bytes.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from speechdt.detector import SAMPLE_RATE

CATCH = "CATCH"
"""Label of a trial that holds background alone."""

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
        ("background", pa.string()),  # white, pink, brown, recording; none in clean cells
        ("background_id", pa.string()),
        ("background_group", pa.string()),
        ("audio", _AUDIO),  # 16 kHz mono FLAC
    ]
)
"""Columns of a cell file."""

# What makes `datasets.load_dataset("parquet", ...)` decode the audio column.
_HUGGING_FACE = {
    "info": {
        "features": {
            field.name: {"sampling_rate": SAMPLE_RATE, "_type": "Audio"}
            if field.name == "audio"
            else {
                "dtype": "float64" if field.type == pa.float64() else str(field.type),
                "_type": "Value",
            }
            for field in SCHEMA
        }
    }
}


def write_cell(path: Path | str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the trials of a cell, columns of `SCHEMA`, to a Parquet file."""
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    table = table.replace_schema_metadata({"huggingface": json.dumps(_HUGGING_FACE)})
    pq.write_table(table, path, compression="zstd", row_group_size=1000)


def read_cell(path: Path | str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a cell file; its ``audio`` column, if read, becomes FLAC bytes."""
    table = pq.read_table(path, columns=list(columns) if columns else None)
    frame: pd.DataFrame = table.drop_columns(
        [name for name in ("audio",) if name in table.column_names]
    ).to_pandas()
    if "audio" in table.column_names:
        frame["audio"] = [entry["bytes"] for entry in table["audio"].to_pylist()]
    return frame


def count_trials(path: Path | str) -> int:
    """Return the number of trials of a cell file, without reading them."""
    return int(pq.read_metadata(path).num_rows)
