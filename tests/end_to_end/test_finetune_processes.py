"""Fine-tuning in two processes: the same curve and adapter as in one."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support import qwen_models as small
from support.trial_cells import write_cells

from speechdt import find_detectors
from speechdt.errors import SpeechdtError
from speechdt.workflow.torchrun import launch

SETTINGS = {
    "rank": 4,
    "steps": 4,
    "batch_size": 4,
    "gradient_accumulation": 2,
    "learning_rate": 1e-2,
    "eval_steps": 2,
    "device": "cpu",
    "dropout": 0.0,  # each process draws its own
    "spec_augment": {"frequency_mask": 10, "time_mask": 0.1, "probability": 0.5},
}


@pytest.fixture(scope="module")
def arguments(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    return {
        "backend": "qwen2_audio",
        "train": [str(cell) for cell in write_cells(folder / "train", 24)],
        "dev": [str(cell) for cell in write_cells(folder / "dev", 12)],
        "out": str(folder / "together"),
        "settings": SETTINGS | {"model": str(small.save("qwen2_audio", folder / "model"))},
    }


@pytest.fixture
def script(root):
    return root / "rules" / "scripts" / "training" / "finetune.py"


def curve(folder, name):
    log = json.loads((folder / "curve.json").read_text())
    return np.array([entry[name] for entry in log if name in entry])


@pytest.mark.parametrize("loss", ["sequence", pytest.param("answer", marks=pytest.mark.campaign)])
def test_two_processes_train_as_one(arguments, script, tmp_path, loss):
    settings = arguments["settings"] | {"loss": loss}
    alone, together = tmp_path / "alone", tmp_path / "together"
    find_detectors()["qwen2_audio"].finetune(
        arguments["train"], arguments["dev"], alone, **settings
    )
    shared = {"settings": settings | {"processes": 2}, "out": str(together)}
    launch(script, arguments | shared, 2)
    assert "Trained by 1 process." in (alone / "README.md").read_text()
    assert "Trained by 2 processes." in (together / "README.md").read_text()
    for name in ("loss", "eval_log_loss"):
        expected = curve(alone, name)
        assert len(expected) >= 2
        np.testing.assert_allclose(curve(together, name), expected, atol=1e-4)
    ours, expected = (load_file(f / "adapter_model.safetensors") for f in (together, alone))
    for weight in expected:
        torch.testing.assert_close(ours[weight], expected[weight], atol=1e-3, rtol=0)


FAILS = """
import os, sys
from speechdt.workflow.torchrun import run
def main(rank, why):
    if os.environ["RANK"] == rank:
        raise ValueError(why)
run(main, sys.argv[1])
"""


def test_what_fails_in_one_process_is_one_line(tmp_path, capfd):
    (tmp_path / "fails.py").write_text(FAILS)
    why = "99 training clips are asked for, and there are 24"
    with pytest.raises(SpeechdtError, match=rf"^one of 2 processes failed: {why}$"):
        launch(tmp_path / "fails.py", {"rank": "1", "why": why}, 2)


def test_another_number_of_processes_is_refused(arguments):
    settings = arguments["settings"] | {"processes": 2}
    with pytest.raises(ValueError, match="2 processes are to train together, and 1 were started"):
        find_detectors()["qwen2_audio"].finetune(
            arguments["train"], arguments["dev"], arguments["out"], **settings
        )
