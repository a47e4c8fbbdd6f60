"""Quantised weights: as stock quantises them, adapters beside them, and what is refused."""

import importlib.util

import numpy as np
import pytest
import torch
from support import qwen_models as small
from support.trial_cells import write_cells

from speechdt import find_detectors

pytestmark = pytest.mark.usefixtures("one_thread")

CLS = find_detectors()["qwen2_audio"]
OMNI = find_detectors()["qwen3_omni"]
CLIPS = [small.clip(ms, seed) for seed, ms in enumerate((200, 500, 1000, 237))]
there = importlib.util.find_spec("bitsandbytes") is not None
needs = pytest.mark.skipif(not there, reason="bitsandbytes is not installed")
PARTS = ("audio_tower", "multi_modal_projector")
LM_ONLY = r".*language_model\.layers\..*\.(q_proj|v_proj|down_proj)"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantised") / "model"
    return small.save("qwen2_audio", folder, hidden_size=64, intermediate_size=128)


@pytest.fixture(scope="module")
def adapter(base, tmp_path_factory):
    cls = small.ARCHITECTURES["qwen2_audio"][0]
    return small.save_adapter(tmp_path_factory.mktemp("lora") / "lora", base, cls, LM_ONLY)


def stock(base, kind, detector, adapter=None):
    """Return log-odds of the stock model, quantised by stock."""
    from peft import PeftModel
    from transformers import BitsAndBytesConfig

    options = {"llm_int8_skip_modules": [f"model.{part}" for part in PARTS] + ["lm_head"]}
    if kind == "nf4":
        options |= {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
        options |= {"bnb_4bit_compute_dtype": torch.float32}
    else:
        options |= {"load_in_8bit": True}
    cls = small.ARCHITECTURES["qwen2_audio"][0]
    config = BitsAndBytesConfig(**options)
    model = cls.from_pretrained(base, dtype=torch.float32, quantization_config=config).eval()
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter).eval()
    return small.STOCK["qwen2_audio"](model, base, detector.answers.ids).log_odds(
        CLIPS, small.BASELINE
    )


@needs
@pytest.mark.parametrize("kind", ["nf4", "int8"])
@pytest.mark.parametrize("adapted", [False, True])
def test_scores_are_those_of_the_stock_model_quantised_by_stock(base, adapter, kind, adapted):
    chosen = {"adapter": str(adapter)} if adapted else {}
    options = {"model": str(base), "device": "cpu"} | chosen
    detector = CLS(**options, quantization=kind)
    ours = detector.log_odds(CLIPS, both=False)[0, 0]
    plain = CLS(**options).log_odds(CLIPS, both=False)[0, 0]
    expected = stock(base, kind, detector, adapter if adapted else None)
    # On a CPU, NF4 is multiplied in bfloat16; LLM.int8() rounds inputs by the largest of a row.
    np.testing.assert_allclose(ours, expected, atol=0.03 if kind == "nf4" else 0.2)
    assert np.abs(ours - plain).max() > 1e-3


@needs
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU for LoRA on quantised weights")
def test_lora_beside_quantised_weights(base, tmp_path):
    train, dev = write_cells(tmp_path / "train", 24), write_cells(tmp_path / "dev", 12)
    settings = {"model": str(base), "device": "cuda", "steps": 4, "batch_size": 4, "rank": 4}
    settings |= {"gradient_accumulation": 1, "eval_steps": 2, "learning_rate": 1e-2}
    CLS.finetune(train, dev, tmp_path / "lora", **settings, quantization="nf4")
    options = {"model": str(base), "device": "cuda", "quantization": "nf4"}
    plain, detector = CLS(**options), CLS(**options, adapter=str(tmp_path / "lora"))
    ours = detector.log_odds(CLIPS, both=False)[0, 0]
    np.testing.assert_allclose(ours, stock(base, "nf4", detector, tmp_path / "lora"), atol=0.05)
    assert np.abs(ours - plain.log_odds(CLIPS, both=False)[0, 0]).max() > 1e-3


def test_what_cannot_be_quantised_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="quantization 'int4' is none of: nf4, int8"):
        CLS.check(None, quantization="int4")
    with pytest.raises(ValueError, match="for qwen2_audio, and not for qwen3_omni"):
        OMNI.check(None, quantization="nf4")
    with pytest.raises(ValueError, match=r"not trained in full|needs a package"):
        CLS.FineTuning(model="x", quantization="nf4", full=True)
