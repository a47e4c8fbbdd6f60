"""The card of the trials: what Hugging Face `datasets` makes of it, and whether it counts right."""

import re
import shutil

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from speechdt.audio import io as audio_io
from speechdt.reporting.pages import dataset_card
from speechdt.trials.cells import SCHEMA, CellWriter, cell_files, count_trials, read_cell

SETTINGS = {"seed": 7, "level": "peak", "least_active": 0.7, "flag_by": "plan"}


@pytest.fixture(scope="module")
def files(cells, grid, tmp_path_factory):
    """Copies of the cells in a folder of their own, one of them in several files."""
    folder = tmp_path_factory.mktemp("card")
    copies = {}
    for split in ("dev", "test"):
        (folder / split).mkdir()
        for cell in grid.cells:
            file = folder / split / f"{cell.name}.parquet"
            shutil.copy(cells[split, cell.name], file)
            copies.setdefault(split, {})[cell] = file
    (folder / "test" / "items.parquet").write_bytes(b"no cell")
    in_parts(copies["test"][grid.noisy[0]])
    return copies


def in_parts(file):
    rows = pq.read_table(file).to_pylist()
    writer = CellWriter(file, most_bytes=1)
    for _ in range(20):  # more than fits into one row group
        for row in rows:
            writer.write(row)
    writer.close()
    assert len(cell_files(file)) > 1


@pytest.fixture(scope="module")
def folder(files, sources):
    folder = next(iter(files["dev"].values())).parents[1]
    noise = sources.loc[sources["category"] == "noise", "source_id"].tolist()
    corpora = [{"kind": "folder", "path": "/somewhere/private/corpus"}]
    card = dataset_card.render(files, sources, corpora, SETTINGS, noise)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("config", "kind"), [(None, "snr"), ("clean", "clean"), ("catch", "catch")]
)
def test_datasets_opens_the_folder_as_it_is(folder, files, tmp_path, config, kind):
    opened = datasets.load_dataset(str(folder), config, cache_dir=str(tmp_path))
    assert list(opened) == ["dev", "test"]
    for split, part in opened.items():
        own = [file for cell, file in files[split].items() if cell.kind == kind]
        assert len(part) == sum(count_trials(file) for file in own)
        assert part.column_names == SCHEMA.names
        assert part.features["audio"] == datasets.Audio(sampling_rate=16_000)


def test_the_example_of_the_card_runs_to_the_samples(folder, files, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    card = (folder / "README.md").read_text(encoding="utf-8")
    example = "\n".join(re.findall(r"```python\n(.*?)```", card, re.DOTALL))
    given = {}
    exec(example.replace("path/to/this/folder", str(folder)), given)
    first = next(file for cell, file in files["test"].items() if cell.kind == "snr")
    expected = read_cell(first)
    row = expected[expected["trial_id"] == given["noisy"].select_columns("trial_id")[0]["trial_id"]]
    clip = audio_io.from_flac_bytes(row["audio"].iloc[0])
    assert given["rate"] == 16_000
    np.testing.assert_array_equal(given["samples"], clip)


def test_the_header_and_the_tables_say_what_there_is(folder, files, sources):
    _, header, body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    content = yaml.safe_load(header)
    assert [config["config_name"] for config in content["configs"]] == ["noisy", "clean", "catch"]
    assert "pt" in content["language"]
    assert all(len(code) in (2, 3) for code in content["language"])
    assert "| 0 dB | 16 / 16 | 16 / 16 |" in body
    speech = sources[sources["category"] == "speech"]
    minutes = speech["seconds"].sum() / 60
    row = (
        f"| SPEECH | speech | {len(speech)} | {speech['group_id'].nunique()} | {minutes:.1f} | 0 |"
    )
    assert row in body
    noise = int((sources["category"] == "noise").sum())
    (of_noise,) = [line for line in body.splitlines() if line.startswith("| NONSPEECH | noise |")]
    assert of_noise.endswith(f"| {noise} |")
    assert "check 'plan' objects to" in body
    for licence, number in sources["licence"].value_counts().items():
        assert f"| {licence} | {number} |" in body
    assert "/somewhere" not in body
    assert not [line for line in body.splitlines() if line.startswith("|") and line[-1] != "|"]


def test_unknown_licences_are_said_to_be_unknown(files, sources):
    bare = sources.drop(columns=["licence", "language"])
    card = dataset_card.render(files, bare, [{"kind": "folder", "path": "x"}], SETTINGS)
    assert f"| unknown | {len(sources)} |" in card
    assert "find out before you publish" in card


def test_every_column_is_described():
    assert list(dataset_card.COLUMNS) == SCHEMA.names
