"""An adapter is trained once for the same settings, data and code."""

import os

import pytest

from speechdt.detectors.kept_adapters import provide, training_key


@pytest.fixture
def cell(tmp_path):
    file = tmp_path / "train" / "snr0_dur200.parquet"
    file.parent.mkdir()
    file.write_bytes(b"clips")
    return file


def test_the_key_is_of_settings_data_and_code_and_of_no_times(tmp_path, cell):
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_bytes(b"1")
    settings = {"model": str(model), "rank": 16}
    key = training_key(settings, "code", [cell])
    os.utime(cell, (1, 1))
    assert training_key(dict(reversed(settings.items())), "code", [cell]) == key
    assert training_key(settings | {"rank": 8}, "code", [cell]) != key
    assert training_key(settings, "other", [cell]) != key
    (model / "weights").write_bytes(b"2")
    assert training_key(settings, "code", [cell]) != key
    (model / "weights").write_bytes(b"1")
    cell.write_bytes(b"other")
    assert training_key(settings, "code", [cell]) != key


def test_what_was_trained_is_taken_again_unless_it_is_damaged(tmp_path):
    out, kept, count = tmp_path / "adapters" / "small", tmp_path / "cache" / "small", []

    def train():
        count.append(1)
        out.mkdir(parents=True, exist_ok=True)
        (out / "weights").write_text("trained")

    assert provide(out, kept, train)
    (out / "weights").write_text("lost")
    assert not provide(out, kept, train)
    assert (out / "weights").read_text() == "trained"
    (kept / "weights").write_text("damaged")
    assert provide(out, kept, train)
    assert len(count) == 2
