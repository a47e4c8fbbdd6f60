"""Adapters in the configuration: what a name stands for, and what is refused in one line."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from speechdt import find_detectors
from speechdt.workflow.variants import ConfigError, check_adapter, check_variant

PROMPTS = {"baseline": "A or B?", "other": "B or A?"}
SMALL = {"backend": "qwen2_audio", "prompt": "baseline", "clips": 128, "gpus": 1}
CONFIGURED = {"models": {"qwen2_audio": "nano"}, "prompts": PROMPTS, "nano_folder": "r/nano"}


def settings_of(**changes):
    return check_adapter("small", SMALL | changes, **CONFIGURED, seed=7)[1]


def options_of(adapters, **entry):
    entry = {"backend": "qwen2_audio", "prompt": "baseline"} | entry
    cls = find_detectors()[entry["backend"]]
    where = {"adapters": adapters, "adapters_folder": "r/adapters"}
    return check_variant("B2", entry, cls, **CONFIGURED, **where)


def test_settings_of_an_adapter():
    expected = {"model": "r/nano/qwen2_audio", "prompt": "A or B?", "clips": 128, "seed": 7}
    assert settings_of() == expected
    assert settings_of(seed=8)["seed"] == 8
    assert settings_of(prompt=["baseline", "other"])["prompt"] == ["A or B?", "B or A?"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ranks": 8}, "no option 'ranks'"),
        ({"rank": "8"}, "option 'rank' cannot be '8'"),
        ({"loss": "none"}, "one of 'answer', 'assistant', 'sequence'"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"prompt": "basline"}, "did you mean 'baseline'"),
        ({"backend": "webrtc"}, "cannot be fine-tuned"),
        ({"backend": "qwen2"}, "did you mean 'qwen2_audio'"),
    ],
)
def test_settings_that_cannot_be(changes, message):
    with pytest.raises(ConfigError, match=rf"^adapters\.small: .*{message}"):
        settings_of(**changes)


def test_an_adapter_by_name_or_folder(tmp_path):
    adapters = {"small": SMALL}
    assert options_of(adapters, adapter="small")["adapter"] == "r/adapters/small"
    with pytest.raises(ConfigError, match=r"^variants\.B2: .* is no PEFT folder"):
        options_of(adapters, adapter=str(tmp_path))
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    save_file({"weight": np.zeros(1)}, tmp_path / "adapter_model.safetensors")
    assert options_of(adapters, adapter=str(tmp_path))["adapter"] == str(tmp_path)
    assert options_of(adapters, adapter=None)["adapter"] is None


def test_an_adapter_that_is_not_there():
    with pytest.raises(ConfigError, match=r"^variants\.B2: .*did you mean 'small'"):
        options_of({"small": SMALL}, adapter="smal")
    with pytest.raises(ConfigError, match="adapter 'small' is one of qwen2_audio"):
        options_of({"small": SMALL}, adapter="small", backend="qwen3_omni", model="nano")
