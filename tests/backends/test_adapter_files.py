"""Adapters that do not fit are refused, and those that name layers otherwise are mapped in full."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support import qwen_models as small
from support.checkouts import ASKED
from support.experiments import resolved

from speechdt import find_detectors
from speechdt.detectors.plugins import BACKENDS
from speechdt.errors import SpeechdtError

pytestmark = pytest.mark.usefixtures("one_thread")

DETECTORS = find_detectors()
CLIPS = [small.clip(ms, seed) for seed, ms in enumerate((200, 500, 1000))]
CPU = {"device": "cpu"}
SAME = 1e-6  # in log-odds
TARGETS = ["q_proj", "v_proj", "fc1"]  # of tower and language model alike
PREFIX = "base_model.model."
WEIGHTS = "adapter_model.safetensors"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 39123456\n"


@pytest.fixture(scope="module", params=list(small.ARCHITECTURES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def base(name, tmp_path_factory):
    return small.save(name, tmp_path_factory.mktemp(name) / "base")


@pytest.fixture(scope="module")
def adapter(name, base):
    """A LoRA of three kinds of layers, of two ranks."""
    return small.save_adapter(base.with_name("lora"), base, small.ARCHITECTURES[name][0], TARGETS)


def log_odds(name, base, adapter=None):
    options = {} if adapter is None else {"adapter": str(adapter)}
    detector = DETECTORS[name](model=str(base), **CPU, **options)
    return detector.log_odds(CLIPS, both=False)[0, 0]


def copied(adapter, folder, rename=None, **settings):
    """Copy an adapter with other names of its weights and other settings."""
    shutil.copytree(adapter, folder)
    weights = load_file(adapter / WEIGHTS)
    if rename is not None:
        weights = {rename(key): weight for key, weight in weights.items()}
    save_file(weights, folder / WEIGHTS)
    written = json.loads((folder / "adapter_config.json").read_text()) | settings
    (folder / "adapter_config.json").write_text(json.dumps(written))
    return folder


# --- names of other versions ----------------------------------------------------------------------


def of_transformers_4(key):
    """Qwen2-Audio before 5.0: the language model with its head, and the tower, side by side."""
    key = key.replace(f"{PREFIX}model.language_model.", f"{PREFIX}language_model.model.")
    return key.replace(f"{PREFIX}model.audio_tower.", f"{PREFIX}audio_tower.")


def of_5_17(key):
    """Qwen3-Omni's thinker up to 5.17: the language model is its ``model``."""
    key = key.replace(f"{PREFIX}model.language_model.", f"{PREFIX}model.")
    return key.replace(f"{PREFIX}model.audio_tower.", f"{PREFIX}audio_tower.")


def of_the_whole(key):
    """Qwen3-Omni with its talker, of which the thinker is one part."""
    return of_5_17(key).replace(PREFIX, f"{PREFIX}thinker.")


OLDER = {"qwen2_audio": [of_transformers_4], "qwen3_omni": [of_5_17, of_the_whole]}


@pytest.mark.parametrize("targets", ["ends", "names", "pattern"])
def test_an_adapter_with_older_names_is_the_same_adapter(name, base, adapter, tmp_path, targets):
    expected = log_odds(name, base, adapter)
    assert np.abs(expected - log_odds(name, base)).max() > 0.01
    for rename in OLDER[name]:
        keys = map(rename, load_file(adapter / WEIGHTS))
        layers = sorted({key.removeprefix(PREFIX).split(".lora_")[0] for key in keys})
        assert not [layer for layer in layers if "model.language_model" in layer]
        target_modules = {
            "ends": TARGETS,
            "names": layers,
            "pattern": "(" + "|".join(map(re.escape, layers)) + ")",
        }[targets]
        older = copied(adapter, tmp_path / rename.__name__, rename, target_modules=target_modules)
        np.testing.assert_allclose(log_odds(name, base, older), expected, atol=SAME)


def test_ranks_by_older_names_are_kept(name, base, tmp_path):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(3)
    model = small.ARCHITECTURES[name][0].from_pretrained(base, dtype=torch.float32)
    names = [layer for layer, _ in model.named_modules() if layer.endswith("layers.0.self_attn")]
    special = {f"{layer}.q_proj": 2 for layer in names}
    alphas = dict.fromkeys(special, 40)
    settings = {"rank_pattern": special, "alpha_pattern": alphas, "target_modules": ["q_proj"]}
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=16, **settings))
    for key, weight in adapted.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, 0, 0.1)
    adapted.save_pretrained(tmp_path / "now")
    rename = OLDER[name][0]

    def layer(key):
        return rename(PREFIX + key).removeprefix(PREFIX)

    older = copied(
        tmp_path / "now",
        tmp_path / "older",
        rename,
        rank_pattern={layer(key): rank for key, rank in special.items()},
        alpha_pattern={layer(key): alpha for key, alpha in alphas.items()},
    )
    expected = log_odds(name, base, tmp_path / "now")
    np.testing.assert_allclose(log_odds(name, base, older), expected, atol=SAME)


def test_experts_adapted_one_by_one_are_those_of_the_joint_matrices(tmp_path):
    """Transformers 4 had a layer for each expert; now the experts of a layer share two weights."""
    base = small.save("qwen3_omni", tmp_path / "base")
    model = small.ARCHITECTURES["qwen3_omni"][0].from_pretrained(base, dtype=torch.float32)
    own = sys.modules[DETECTORS["qwen3_omni"].__module__.replace("detector", "qwen3_omni")]
    weights, generator = {}, torch.Generator().manual_seed(4)

    def add(layer, weight):
        """Adapt a layer by its older name, and change the weight as its adapter is to do."""
        a = 0.1 * torch.randn(4, weight.shape[1], generator=generator)
        b = 0.1 * torch.randn(weight.shape[0], 4, generator=generator)
        weights[f"{PREFIX}thinker.{layer}.lora_A.weight"] = a
        weights[f"{PREFIX}thinker.{layer}.lora_B.weight"] = b
        weight += 2 * b @ a

    with torch.no_grad():
        for i, layer in enumerate(own.language_model(model).layers):
            experts, width = layer.mlp.experts, model.config.text_config.moe_intermediate_size
            for e in range(model.config.text_config.num_experts):
                stem = f"model.layers.{i}.mlp.experts.{e}"
                add(f"{stem}.gate_proj", experts.gate_up_proj[e, :width])
                add(f"{stem}.up_proj", experts.gate_up_proj[e, width:])
                add(f"{stem}.down_proj", experts.down_proj[e])
    settings = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
    settings["target_modules"] = ["gate_proj", "up_proj", "down_proj"]
    (tmp_path / "lora").mkdir()
    (tmp_path / "lora" / "adapter_config.json").write_text(json.dumps(settings))
    save_file(weights, tmp_path / "lora" / WEIGHTS)
    expected = DETECTORS["qwen3_omni"].around(model.eval(), str(base)).log_odds(CLIPS, both=False)
    assert np.abs(expected[0, 0] - log_odds("qwen3_omni", base)).max() > 0.01
    DETECTORS["qwen3_omni"].check(model=str(base), adapter=str(tmp_path / "lora"), **CPU)
    np.testing.assert_allclose(
        log_odds("qwen3_omni", base, tmp_path / "lora"), expected[0, 0], atol=SAME
    )


# --- what does not fit ----------------------------------------------------------------------------


def without_a_layer(adapter, folder):
    weights = load_file(adapter / WEIGHTS)
    copied(adapter, folder)
    kept = {k: v for k, v in weights.items() if "layers.1.self_attn.q_proj" not in k}
    assert len(weights) - len(kept) == 4  # both halves, in tower and language model
    save_file(kept, folder / WEIGHTS)


def without_a_half(adapter, folder):
    weights = load_file(adapter / WEIGHTS)
    copied(adapter, folder)
    save_file({k: v for k, v in weights.items() if "lora_B" not in k}, folder / WEIGHTS)


def with_a_deeper_base(adapter, folder):
    weights = load_file(adapter / WEIGHTS)
    copied(adapter, folder)
    deeper = {k.replace("layers.2.", "layers.9."): v.clone() for k, v in weights.items()}
    save_file(weights | deeper, folder / WEIGHTS)


def of_another_width(adapter, folder):
    weights = load_file(adapter / WEIGHTS)
    copied(adapter, folder)
    save_file({k: torch.cat([v, v], dim=1) for k, v in weights.items()}, folder / WEIGHTS)


def with_unknown_names(adapter, folder):
    copied(adapter, folder, lambda key: key.replace("self_attn.q_proj", "attention.query"))


def emptied(adapter, folder):
    copied(adapter, folder)
    save_file({}, folder / WEIGHTS)


def without_weights(adapter, folder):
    copied(adapter, folder)
    (folder / WEIGHTS).unlink()


def pickled(adapter, folder):
    weights = load_file(adapter / WEIGHTS)
    without_weights(adapter, folder)
    torch.save(weights, folder / "adapter_model.bin")


def a_pointer(adapter, folder):
    copied(adapter, folder)
    (folder / WEIGHTS).write_text(LFS)


def cut_short(adapter, folder):
    copied(adapter, folder)
    (folder / WEIGHTS).write_bytes((adapter / WEIGHTS).read_bytes()[:-100])


def of_another_checkpoint(adapter, folder):
    copied(adapter, folder, base_model_name_or_path="Qwen/Qwen2-Audio-7B")


MISFITS = {
    without_a_layer: r"2 weights are missing, by its adapter_config.json: \S*layers.1.self_attn.q",
    without_a_half: r"weights are missing, by its adapter_config.json: \S*fc1.lora_B, ",
    with_a_deeper_base: r"4 weights have no place in it: \S*layers.9.\S*lora_A.weight, .*, …",
    of_another_width: r"weights have another shape than it: \S*layers.0.\S*.lora_A.weight, ",
    with_unknown_names: r"weights have no place in it: \S*attention.query.lora_A.weight, ",
    emptied: "has no weights: adapter_model.safetensors is empty",
    without_weights: "has no weights: there is no adapter_model.safetensors$",
    pickled: "only adapter_model.bin: pickled weights are not read",
    a_pointer: "adapter_model.safetensors is a git-lfs pointer .* `git lfs pull`",
    cut_short: "adapter_model.safetensors is no whole safetensors file: ",
}


def refused(message, folder, call, *arguments, **options):
    with pytest.raises(ValueError) as error:
        call(*arguments, **options)
    (line,) = str(error.value).splitlines()
    assert f"adapter '{folder}'" in line
    assert re.search(message, line), line


@pytest.mark.parametrize("spoil", MISFITS, ids=lambda spoil: spoil.__name__)
def test_an_adapter_that_does_not_fit_is_refused(name, base, adapter, tmp_path, spoil):
    """When it is loaded, and before any job, because the files suffice to tell."""
    folder = tmp_path / "spoilt"
    spoil(adapter, folder)
    cls, given = DETECTORS[name], {"model": str(base), "adapter": str(folder), **CPU}
    refused(MISFITS[spoil], folder, cls.check, **given)
    refused(MISFITS[spoil], folder, cls, **given)


def test_an_adapter_of_the_other_architecture_is_refused(name, base, adapter, tmp_path):
    (other,) = {"qwen2_audio", "qwen3_omni"} - {name}
    foreign = small.save(other, tmp_path / other)
    given = {"model": str(foreign), "adapter": str(adapter), **CPU}
    refused("does not fit model", adapter, DETECTORS[other].check, **given)
    refused("does not fit model", adapter, DETECTORS[other], **given)


def test_one_that_fits_passes_whatever_the_names_of_base_and_adapter(name, base, adapter, tmp_path):
    older = copied(adapter, tmp_path / "older", OLDER[name][-1])
    model = small.ARCHITECTURES[name][0].from_pretrained(base, dtype=torch.float32)
    one_file = shutil.ignore_patterns("model.safetensors")
    shutil.copytree(base, tmp_path / "parts", ignore=one_file)
    model.save_pretrained(tmp_path / "parts", max_shard_size="30KB")
    assert len(list((tmp_path / "parts").glob("model-*.safetensors"))) > 2
    whole = shutil.copytree(base, tmp_path / "whole")
    weights = {f"thinker.{k}": v for k, v in load_file(base / "model.safetensors").items()}
    weights["talker.model.layers.0.self_attn.q_proj.weight"] = torch.zeros(2, 2)
    save_file(weights, whole / "model.safetensors")
    for model in (base, tmp_path / "parts", whole):
        for folder in (adapter, older):
            DETECTORS[name].check(model=str(model), adapter=str(folder), **CPU)
    spoilt = tmp_path / "spoilt"
    with_unknown_names(adapter, spoilt)
    for model in (tmp_path / "parts", whole):
        given = {"model": str(model), "adapter": str(spoilt), **CPU}
        refused("have no place", spoilt, DETECTORS[name].check, **given)


def test_one_made_for_another_checkpoint_of_the_hub_is_refused(adapter, tmp_path):
    of_another_checkpoint(adapter, tmp_path / "foreign")
    files = sys.modules[DETECTORS["qwen2_audio"].__module__.replace("detector", "adapter_files")]
    with pytest.raises(ValueError, match=r"made for 'Qwen/Qwen2-Audio-7B', and the model is 'Qwen"):
        files.check_adapter(tmp_path / "foreign", "Qwen/Qwen2-Audio-7B-Instruct")
    files.check_adapter(tmp_path / "foreign", "mirror/qwen2-audio-7b")


def test_the_files_are_looked_at_without_torch(base, adapter, name):
    """A parse of the workflow imports none of it."""
    arguments = f"model={str(base)!r}, adapter={str(adapter)!r}, device='cpu'"
    code = (
        "import sys; from speechdt import find_detectors; "
        f"find_detectors()[{name!r}].check({arguments}); "
        "assert not {'torch', 'peft', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=BACKENDS.parent)


def test_the_workflow_refuses_it_before_any_job(root, tmp_path):
    base = small.save("qwen2_audio", tmp_path / "base")
    cls = small.ARCHITECTURES["qwen2_audio"][0]
    lora = small.save_adapter(tmp_path / "lora", base, cls, TARGETS)
    spoilt = tmp_path / "spoilt"
    without_a_layer(lora, spoilt)
    mine = {"backend": "qwen2_audio", "prompt": "baseline", "model": str(base), "device": "cpu"}

    def asked(adapter):
        m1 = {"M1": mine | {"adapter": str(adapter)}}
        searches = dict.fromkeys(("base", "large", "omni"))
        return resolved(root, {"variants": ASKED | m1, "searches": searches})

    refused = f"variants.M1: backend 'qwen2_audio': adapter '{spoilt}' does not"
    with pytest.raises(SpeechdtError, match=f"^{re.escape(refused)}"):
        asked(spoilt)
    assert "M1" in asked(lora).runs
