"""Kept files: each kind of damage is recognised when the file is opened, and heals by itself."""

import shutil

import pytest
from support.damages import DAMAGES, damaged
from support.trial_cells import write_cells

from speechdt import checksums
from speechdt.checksums import Damaged
from speechdt.detectors import call
from speechdt.errors import SpeechdtError
from speechdt.trials.cells import count_trials, read_batches, read_cell


@pytest.fixture
def folder(tmp_path):
    """A folder of two files, written and listed."""
    made = tmp_path / "small"
    (made / "below").mkdir(parents=True)
    (made / "weights.safetensors").write_bytes(bytes(range(256)) * 40)
    (made / "below" / "config.json").write_text('{"r": 8, "alpha": 16, "names": ["q", "v"]}\n')
    (made / ".snakemake_timestamp").touch()
    checksums.write(made)
    return made


@pytest.mark.parametrize("file", ["weights.safetensors", "below/config.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_named_and_set_aside(folder, damage, file):
    checksums.check(folder)
    if not damaged(folder / file, damage):
        return
    with pytest.raises(Damaged) as raised:
        checksums.check(folder)
    message = str(raised.value)
    assert message.count("\n") == 0
    assert str(folder) in message
    assert file in message
    assert "set aside as small.damaged" in message
    assert not folder.exists()
    assert folder.with_name("small.damaged").is_dir()
    assert not checksums.list_of(folder).exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_list_tells_of_nothing_and_is_not_believed(folder, damage):
    if damaged(checksums.list_of(folder), damage) and damage != "a link to nowhere":
        with pytest.raises(Damaged):
            checksums.check(folder)
    else:  # without a list it may have been made anywhere
        checksums.check(folder)


def test_a_folder_in_place_of_which_there_is_a_file(folder):
    shutil.rmtree(folder)
    folder.write_text("x")
    with pytest.raises(Damaged, match="small is damaged"):
        checksums.check(folder)


def test_the_weights_of_a_checkpoint_are_not_read_by_all_who_use_it(folder, monkeypatch):
    weights = folder / "weights.safetensors"
    monkeypatch.setattr(checksums, "LARGEST", weights.stat().st_size - 1)
    damaged(weights, "a byte of its body")
    checksums.check(folder)
    assert checksums.damage(folder) == "weights.safetensors is not as it was written"
    weights.unlink()
    with pytest.raises(Damaged, match=r"weights\.safetensors: No such file"):
        checksums.check(folder)


def test_it_is_set_aside_twice(folder):
    for content in (b"1", b"2"):
        folder.mkdir(exist_ok=True)
        (folder / "weights.safetensors").write_bytes(b"0")
        checksums.write(folder)
        (folder / "weights.safetensors").write_bytes(content)
        with pytest.raises(Damaged):
            checksums.check(folder)
    assert (folder.with_name("small.damaged") / "weights.safetensors").read_bytes() == b"2"


def test_what_was_made_elsewhere_is_left_alone(folder):
    checksums.list_of(folder).unlink()
    (folder / "weights.safetensors").write_bytes(b"")
    checksums.check(folder)
    checksums.check(folder.with_name("there is none"))


def test_the_list_is_that_of_sha256sum(folder):
    import subprocess

    if not shutil.which("sha256sum"):
        pytest.skip("no sha256sum here")
    command = ["sha256sum", "--check", "--strict", str(checksums.list_of(folder))]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


class Detector:
    gpus = 0

    def __init__(self, adapter):
        self.adapter = adapter


def test_a_detector_is_not_built_on_a_damaged_folder(folder):
    assert call.built("mine", Detector, {"adapter": str(folder)}).adapter == str(folder)
    (folder / "weights.safetensors").write_bytes(b"")
    with pytest.raises(SpeechdtError, match=r"backend 'mine': .*small is damaged"):
        call.built("mine", Detector, {"adapter": str(folder)})


# --- cells ----------------------------------------------------------------------------------------


@pytest.fixture
def cell(tmp_path):
    return write_cells(tmp_path / "cells", 12)[0]


def same_or_damaged(cell, before):
    """Say whether a cell is called damaged; if not, it is to hold what it held."""
    message, after = "", None
    try:
        after = read_cell(cell)
        count_trials(cell)
        list(read_batches(cell))
    except Damaged as error:
        message = str(error)
    if not message:
        assert after.equals(before)
        return False
    assert message.count("\n") == 0
    assert str(cell) in message
    assert cell.with_name(f"{cell.name}.damaged").exists()
    assert not cell.exists()
    return True


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cell_is_named_and_set_aside(cell, damage):
    before = read_cell(cell)
    if damage == "a link to nowhere":
        DAMAGES[damage](cell)
        with pytest.raises(FileNotFoundError):
            read_cell(cell)
        return
    noticed = damaged(cell, damage)
    # The first bytes of a Parquet file are a mark alone, which its readers pass over.
    assert same_or_damaged(cell, before) == noticed or damage == "a byte of its header"


@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_no_flipped_byte_changes_what_is_read(cell, flip):
    before, whole = read_cell(cell), cell.read_bytes()
    noticed = 0
    for place in range(0, len(whole), max(len(whole) // 150, 1)):
        data = bytearray(whole)
        data[place] ^= flip
        cell.write_bytes(data)
        noticed += same_or_damaged(cell, before)
    assert noticed > 50


def test_a_machine_in_trouble_is_no_damage(cell, monkeypatch):
    import errno

    def fail(*_args, **_kwargs):
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr("pyarrow.parquet.read_metadata", fail)
    with pytest.raises(OSError, match="too many open files"):
        read_cell(cell)
    assert cell.exists()
