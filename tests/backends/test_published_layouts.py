"""Folders laid out as the published checkpoints, with the real vocabulary, in every step."""

import shutil

import numpy as np
import pytest
import torch
from peft import PeftModel
from support import published_layouts as published
from support import qwen_models as small
from support.trial_cells import write_cells

from speechdt import find_detectors

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(published.ranks_file() is None, reason="dashscope brings the vocabulary"),
]

DETECTORS = find_detectors()
CLIPS = [small.clip(ms, seed) for seed, ms in enumerate((200, 300, 500, 1000))]
AROUND = {"qwen2_audio": (20, 41), "qwen3_omni": (4, 40)}
AUDIO = {"qwen2_audio": 151646, "qwen3_omni": 151675}
BEFORE = {
    "qwen2_audio": "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n",
    "qwen3_omni": "<|im_start|>user\n<|audio_start|><|audio_pad|><|audio_end|>",
}


@pytest.fixture(scope="module", params=list(small.ARCHITECTURES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(name, tmp_path_factory):
    return published.publish(name, tmp_path_factory.mktemp(name) / "model")


@pytest.fixture(scope="module")
def detector(name, folder):
    DETECTORS[name].check(str(folder), device="cpu")
    return DETECTORS[name](model=str(folder), device="cpu")


@pytest.fixture(scope="module")
def stock(name, folder):
    return small.ARCHITECTURES[name][0].from_pretrained(folder, dtype=torch.float32).eval()


def test_ids_and_chat_are_the_published_ones(name, detector):
    assert (detector.answers.texts, detector.answers.ids) == (("A", "B"), (32, 33))
    ids = detector._chat.tokenizer(" A B")["input_ids"]
    assert ids == [362, 425]
    assert detector._chat.end_of_turn() == 151645
    question = detector._question(small.BASELINE)
    assert (len(question.before), len(question.after)) == AROUND[name]
    chat = detector._chat.render(small.BASELINE)
    assert chat == f"{BEFORE[name]}{small.BASELINE}<|im_end|>\n<|im_start|>assistant\n"


def asked(name, model, folder, answers):
    """Return what the stock model says of the clips, each by itself."""
    recipe = small.STOCK[name](model, folder, answers)
    if name == "qwen3_omni":  # the published template lies beside the tokenizer
        recipe.tokenizer.chat_template = small.OMNI_TEMPLATE
        recipe.tokenizer.audio_token = "<|audio_pad|>"
    # The second clip keeps the stock Qwen2-Audio on its path for expanded audio tokens.
    second = [] if name == "qwen3_omni" else [small.clip(1000)]
    return [recipe.log_odds([clip, *second], small.BASELINE)[0] for clip in CLIPS]


def test_scores_are_those_of_the_stock_model(name, folder, detector, stock):
    expected = asked(name, stock, folder, detector.answers.ids)
    np.testing.assert_allclose(detector.log_odds(CLIPS, both=False)[0, 0], expected, atol=1e-4)
    assert np.ptp(expected) > 0.1
    both = detector.log_odds(CLIPS)
    assert both.shape == (2, 1, len(CLIPS))


def test_it_is_fine_tuned_and_its_adapter_reloaded_by_stock(name, folder, detector, tmp_path):
    train, dev = write_cells(tmp_path / "train", 24), write_cells(tmp_path / "dev", 12)
    settings = {"steps": 2, "batch_size": 4, "gradient_accumulation": 1, "eval_steps": 2}
    settings |= {"rank": 4, "learning_rate": 1e-2, "device": "cpu", "model": str(folder)}
    DETECTORS[name].finetune(train, dev, tmp_path / "lora", **settings)
    adapted = DETECTORS[name](model=str(folder), device="cpu", adapter=str(tmp_path / "lora"))
    ours = adapted.log_odds(CLIPS, both=False)[0, 0]
    fresh = small.ARCHITECTURES[name][0].from_pretrained(folder, dtype=torch.float32)
    reloaded = PeftModel.from_pretrained(fresh, tmp_path / "lora").eval()
    expected = asked(name, reloaded, folder, adapted.answers.ids)
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert np.abs(ours - detector.log_odds(CLIPS, both=False)[0, 0]).max() > 1e-3


def test_a_reply_ends_with_the_turn(detector):
    tokens = []

    def make_it_the_likeliest(_head, _hidden, logits):
        tokens.append(logits[..., 151645].fill_(1e9))

    hook = detector.lm.lm_head.register_forward_hook(make_it_the_likeliest)
    detector.generate("Write.", 0, most_tokens=4)
    hook.remove()
    assert len(tokens) == 1


def test_a_cached_pin_is_loaded_offline(name, folder, detector, tmp_path, monkeypatch):
    commit = "0a095220c30b7b31434169c3086508ef3ea5bf0a"
    snapshot = tmp_path / "models--owner--model" / "snapshots" / commit
    shutil.copytree(folder, snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    pinned = DETECTORS[name](model="owner/model", revision=commit, device="cpu")
    np.testing.assert_array_equal(pinned.score(CLIPS), detector.score(CLIPS))
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set"):
        DETECTORS[name].check("owner/model", "f" * 40, device="cpu")
