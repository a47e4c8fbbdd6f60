"""Adapters in turn on one loaded checkpoint: as if each had been loaded by itself."""

import importlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support import qwen_models as small
from transformers import Qwen2AudioForConditionalGeneration as Stock

from speechdt import find_detectors

pytestmark = pytest.mark.usefixtures("one_thread")

CLS = find_detectors()["qwen2_audio"]
room = importlib.import_module("speechdt_backends.qwen.room")
CLIPS = [small.clip(ms, seed) for seed, ms in enumerate((200, 300, 500, 1000, 237))]
TURNED = small.BASELINE.replace("Choose one", "Say which")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A checkpoint, and adapters: of all layers of the language model, of some, of the tower."""
    folder = tmp_path_factory.mktemp("turns")
    base = small.save("qwen2_audio", folder / "base")
    targets = {
        "all": r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)",
        "few": r".*language_model\..*\.(q_proj|v_proj)",
        "tower": ["q_proj", "v_proj", "fc1", "fc2", "out_proj"],
    }
    adapters = {
        name: small.save_adapter(folder / name, base, Stock, which)
        for name, which in targets.items()
    }
    return {"base": base} | adapters


def own(folders, name, **options):
    """Return a detector that was loaded with an adapter folded in."""
    adapter = {} if name is None else {"adapter": str(folders[name])}
    return CLS(model=str(folders["base"]), device="cpu", **adapter, **options)


def test_each_adapter_gives_the_bits_of_a_detector_of_its_own(folders):
    shared = own(folders, None)
    bare = shared.score(CLIPS)
    for name in ("all", "few", None, "tower", "all", None):
        adapter = None if name is None else str(folders[name])
        assert shared.become(adapter=adapter)
        for clips in (CLIPS, CLIPS[:1]):
            scores, expected = shared.score(clips), own(folders, name).score(clips)
            assert scores.tobytes() == expected.tobytes(), name
        assert name is None or np.abs(scores - bare[:1]).max() > 1e-3
    weights = dict(own(folders, None).lm.named_parameters())
    assert all((weight == weights[name]).all() for name, weight in shared.lm.named_parameters())


@pytest.mark.parametrize(("free", "roomy"), [(300, True), (299, False)])
def test_a_copy_stays_on_a_gpu_that_has_room_for_three(monkeypatch, free, roomy):
    monkeypatch.setattr(room, "_free", lambda device: free)
    weights = [SimpleNamespace(device=torch.device("cuda", 0), nbytes=50) for _ in range(2)]
    assert room.roomy(weights) is roomy
    weights.append(SimpleNamespace(device=torch.device("cpu"), nbytes=1))
    assert not room.roomy(weights)


def test_a_clip_is_encoded_once_for_all_that_hear_it_alike(folders):
    shared, passes = own(folders, None), []
    shared.keep_audio(1.0)
    for name in (None, "few", "all", "tower", "tower", None):
        adapter = None if name is None else str(folders[name])
        prompt = TURNED if passes else small.BASELINE
        assert shared.become(adapter=adapter, prompt=prompt)
        expected = own(folders, name, prompt=prompt).score(CLIPS)
        np.testing.assert_allclose(shared.score(CLIPS), expected, atol=1e-6)
        passes.append(shared.tower_passes)
    assert passes == [5, 0, 0, 5, 0, 5]


def test_all_other_options_come_with_it(folders):
    shared = own(folders, None)
    options = {"prompt": TURNED, "option_order": "both", "system": "You listen.", "batch_size": 2}
    assert shared.become(adapter=str(folders["few"]), **options)
    expected = own(folders, "few", **options)
    assert shared.score(CLIPS).tobytes() == expected.score(CLIPS).tobytes()
    assert shared.log_odds(CLIPS).tobytes() == expected.log_odds(CLIPS).tobytes()
    assert shared.answer_mass(CLIPS).tobytes() == expected.answer_mass(CLIPS).tobytes()
    assert shared.become(prompt=small.BASELINE, speech_is="B")
    assert shared.score(CLIPS).tobytes() == own(folders, None, speech_is="B").score(CLIPS).tobytes()


def test_what_cannot_be_taken_out_is_left_to_a_detector_of_its_own(folders, tmp_path):
    assert not own(folders, "few").become()  # folded in when it was built
    shared = own(folders, None)
    before = shared.score(CLIPS)
    assert not shared.become(adapter=str(folders["base"]))  # trained in full
    odd = Path(shutil.copytree(folders["few"], tmp_path / "odd"))
    settings = json.loads((odd / "adapter_config.json").read_text())
    (odd / "adapter_config.json").write_text(json.dumps(settings | {"use_dora": True}))
    assert not shared.become(adapter=str(odd))
    assert shared.score(CLIPS).tobytes() == before.tobytes()


def test_an_adapter_that_does_not_fit_is_refused_by_a_detector_of_its_own(folders, tmp_path):
    other = small.save("qwen2_audio", tmp_path / "other", num_hidden_layers=1)
    assert not CLS(model=str(other), device="cpu").become(adapter=str(folders["all"]))
    with pytest.raises(ValueError, match="does not fit model") as caught:
        CLS(model=str(other), adapter=str(folders["all"]), device="cpu")
    assert "\n" not in str(caught.value)
