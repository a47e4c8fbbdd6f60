"""An adapter's configuration is the same bytes however its sets were ordered."""

import importlib
import json

from speechdt import find_detectors


def test_lists_that_peft_makes_of_sets_are_sorted(tmp_path):
    find_detectors()
    in_order = importlib.import_module("speechdt_backends.qwen.finetuning.finetune").in_order
    written = []
    for names in (["v_proj", "q_proj", "k_proj"], ["k_proj", "v_proj", "q_proj"]):
        file = tmp_path / "adapter_config.json"
        content = {"target_modules": names, "r": 8, "layers": [3, 1], "alpha": None}
        file.write_text(json.dumps(dict(reversed(content.items())) if written else content))
        in_order(file)
        written.append(file.read_bytes())
        assert json.loads(file.read_text()) == content | {"target_modules": sorted(names)}
    assert written[0] == written[1]
