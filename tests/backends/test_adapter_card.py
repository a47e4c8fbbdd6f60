"""The model card of an adapter, read as a hub reads it."""

import importlib

import pandas as pd
import pytest
from huggingface_hub import ModelCard

from speechdt import find_detectors

find_detectors()
card = importlib.import_module("speechdt_backends.qwen.finetuning.card")
settings = importlib.import_module("speechdt_backends.qwen.finetuning.settings")

LOG = [
    {"step": step, "eval_log_loss": loss, "eval_balanced_accuracy": 0.8}
    for step, loss in ((0, 0.1), (10, 0.5), (20, 0.4))
]
TRIALS = pd.DataFrame({"label": ["SPEECH", "NONSPEECH"], "snr_db": 0.0, "duration_ms": 200})


@pytest.mark.parametrize("model", ["Qwen/Qwen2-Audio-7B-Instruct", "weights: second try #2", "12"])
@pytest.mark.parametrize(("full", "library"), [(False, "peft"), (True, "transformers")])
def test_a_hub_finds_the_base_whatever_its_name(model, full, library):
    tuned = settings.FineTuning(model=model, full=full)
    read = ModelCard(card.model_card(tuned, {"train": TRIALS, "dev": TRIALS}, LOG, 1))
    assert read.data.to_dict() == {"base_model": model, "library_name": library}
    assert f"Base: `{model}`" in read.text
    assert "checkpoint of step 20" in read.text
