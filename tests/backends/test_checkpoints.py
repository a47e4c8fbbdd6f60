"""Checkpoints of a training: only whole ones are gone on from; strays are left alone."""

import errno
import json
import os
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from support import qwen_models as small
from support.damages import DAMAGES, damaged
from support.trial_cells import write_cells

from speechdt import checksums, find_detectors

DETECTORS = find_detectors()
checkpoints = import_module("speechdt_backends.qwen.finetuning.checkpoints")
NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
SETTINGS = {"rank": 4, "steps": 6, "batch_size": 4, "eval_steps": 2, "device": "cpu"}
OTHER_ORDER = """
import json, sys
from pathlib import Path
from speechdt import find_detectors
train, dev, out, settings = json.loads(sys.argv[1])
finetune = find_detectors()["qwen2_audio"].finetune
finetune([Path(cell) for cell in train], [Path(cell) for cell in dev], Path(out), **settings)
"""


def checkpoint(folder, step, best):
    """Write a checkpoint as the Trainer does: weights, optimizer, state, and the mark."""
    saved = folder / f"checkpoint-{step}"
    saved.mkdir(parents=True)
    save_file({"w": torch.full((4, 8), float(step))}, saved / "trained.safetensors")
    torch.save({"step": step, "exp_avg": torch.ones(64)}, saved / "optimizer.pt")
    state = {"global_step": step, "best_model_checkpoint": str(folder / f"checkpoint-{best}")}
    (saved / "trainer_state.json").write_text(json.dumps(state))
    checksums.write(saved, saved / "complete")
    return saved


@pytest.fixture
def folder(tmp_path):
    for step in (2, 4, 6):
        checkpoint(tmp_path, step, best=step)
    return tmp_path


FILES = ("trained.safetensors", "optimizer.pt", "trainer_state.json", "complete")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_training_falls_back_to_the_checkpoint_before(folder, capsys, damage, file):
    assert checkpoints.last_complete_checkpoint(folder) == str(folder / "checkpoint-6")
    if not damaged(folder / "checkpoint-6" / file, damage):
        return
    assert checkpoints.last_complete_checkpoint(folder) == str(folder / "checkpoint-4")
    warning = capsys.readouterr().err
    if (file, damage) == ("complete", "a link to nowhere"):  # as if it was never finished
        assert warning == ""
        return
    assert warning.count("\n") == 1
    assert str(folder / "checkpoint-6") in warning
    assert (folder / "checkpoint-6.damaged").is_dir()


def test_and_then_to_the_start(folder, capsys):
    for step in (2, 4, 6):
        (folder / f"checkpoint-{step}" / "trained.safetensors").write_bytes(b"")
    assert checkpoints.last_complete_checkpoint(folder) is None
    assert capsys.readouterr().err.count("\n") == 3


def test_the_last_is_of_no_use_without_the_best(tmp_path, capsys):
    checkpoint(tmp_path, 2, best=2)
    checkpoint(tmp_path, 6, best=2)
    (tmp_path / "checkpoint-2" / "trained.safetensors").write_bytes(b"")
    assert checkpoints.last_complete_checkpoint(tmp_path) is None
    assert "the best one, checkpoint-2: trained.safetensors is not" in capsys.readouterr().err


def test_strays_are_left_alone(folder):
    strays = ("checkpoint-old", "checkpoint-8.damaged", "checkpoint-", "notes", "checkpoint-6b")
    for name in strays:
        (folder / name).mkdir()
    (folder / "checkpoint-x.txt").touch()
    assert checkpoints.last_complete_checkpoint(folder) == str(folder / "checkpoint-6")
    assert all((folder / name).is_dir() for name in strays)


def test_an_unfinished_one_is_removed_and_a_file_of_the_name_set_aside(folder):
    (folder / "checkpoint-6" / "complete").unlink()
    (folder / "checkpoint-8").write_text("x")
    assert checkpoints.last_complete_checkpoint(folder) == str(folder / "checkpoint-4")
    assert not (folder / "checkpoint-6").exists()
    assert (folder / "checkpoint-8.damaged").is_file()


def test_weights_are_looked_at_when_they_are_read(folder):
    saved = folder / "checkpoint-4"
    assert checkpoints.weights(saved)["w"].eq(4).all()
    data = bytearray((saved / "trained.safetensors").read_bytes())
    data[-3] ^= 1
    (saved / "trained.safetensors").write_bytes(data)
    with pytest.raises(checksums.Damaged, match="checkpoint-4 is damaged"):
        checkpoints.weights(saved)


def saving(folder, write, device="cpu"):
    """Save a state that goes on changing; return the checkpoint and its writer."""
    saved, writer = folder / "checkpoint-2", checkpoints.CheckpointWriter()
    saved.mkdir()
    state = {"w": torch.ones(3, device=device), "steps": [torch.zeros(2, device=device)]}
    writer.save(write, state, saved / "optimizer.pt")
    state["w"] += 1
    state["steps"][0] += 1
    arguments = SimpleNamespace(output_dir=str(folder))
    writer.on_save(arguments, SimpleNamespace(is_world_process_zero=True, global_step=2), None)
    return saved, writer


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NEEDS_GPU)])
def test_a_checkpoint_holds_what_was_when_it_was_saved(tmp_path, device):
    saved, writer = saving(tmp_path, torch.save, device)
    writer.wait()
    state = torch.load(saved / "optimizer.pt")
    assert state["w"].tolist() == [1, 1, 1]
    assert state["steps"][0].tolist() == [0, 0]
    assert checksums.damage(saved, saved / "complete") == ""


def test_a_checkpoint_with_a_file_that_could_not_be_written_is_not_whole(tmp_path):
    def full(_state, path):
        path.write_bytes(b"begun")
        raise OSError(errno.ENOSPC, "No space left on device")

    saved, writer = saving(tmp_path, full)
    with pytest.raises(OSError, match="No space left"):
        writer.wait()
    assert not (saved / "complete").exists()
    assert checkpoints.last_complete_checkpoint(tmp_path) is None


# --- whole trainings ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """Cells, settings, and the bytes of the adapter that an undisturbed training writes."""
    folder = tmp_path_factory.mktemp("training")
    model = small.save("qwen2_audio", folder / "model")
    train, dev = (write_cells(folder / split, 16) for split in ("train", "dev"))
    settings = SETTINGS | {"model": str(model)}
    DETECTORS["qwen2_audio"].finetune(train, dev, folder / "undisturbed", **settings)
    return folder, train, dev, settings


def files(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.mark.usefixtures("one_thread")
def test_two_trainings_write_the_same_folder(training, tmp_path):
    folder, train, dev, settings = training
    names = [[str(cell) for cell in cells] for cells in (train, dev)]
    subprocess.run(  # where sets have another order
        [sys.executable, "-c", OTHER_ORDER, json.dumps([*names, str(tmp_path / "a"), settings])],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"},
    )
    first, again = files(folder / "undisturbed"), files(tmp_path / "a")
    assert first.keys() == again.keys() >= {"adapter_config.json", "adapter_model.safetensors"}
    assert [name for name in first if first[name] != again[name]] == []


@pytest.mark.usefixtures("one_thread")
def test_a_damaged_checkpoint_costs_its_steps_alone(training, tmp_path, monkeypatch, capsys):
    folder, train, dev, settings = training
    finetune = DETECTORS["qwen2_audio"].finetune
    settings = settings | {"checkpoints": str(tmp_path / "kept")}
    module = import_module("speechdt_backends.qwen.finetuning.finetune")

    def kill(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", kill)
        with pytest.raises(KeyboardInterrupt):
            finetune(train, dev, tmp_path / "out", **settings)
    last = max((tmp_path / "kept").glob("*/checkpoint-*"), key=lambda path: path.name)
    (last / "trained.safetensors").write_bytes(b"")
    finetune(train, dev, tmp_path / "out", **settings)
    assert f"{last} is damaged (trained.safetensors" in capsys.readouterr().err
    assert not list((tmp_path / "kept").iterdir())
    weights = "adapter_model.safetensors"
    assert files(tmp_path / "out")[weights] == files(folder / "undisturbed")[weights]
