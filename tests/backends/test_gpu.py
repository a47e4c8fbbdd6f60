"""A real checkpoint runs on a CPU only if that is said: a GPU is asked for before any job."""

import re
import subprocess
import sys
import time

import pytest
import torch
from support import qwen_models as small
from support.checkouts import ASKED
from support.experiments import resolved

from speechdt import find_detectors
from speechdt.gpu_driver import asked_driver
from speechdt.workflow import hygiene_checks
from speechdt.workflow.searches import check_search
from speechdt.workflow.variants import ConfigError, check_adapter, check_variant

PROMPTS = {"baseline": "Speech?\n\nA) yes\nB) no"}
CLS = find_detectors()["qwen2_audio"]
gpu = sys.modules[CLS.__module__.replace("detector", "gpu")]
CUDA_13 = gpu.Build("2.14.1+cu130", "13.0")
CUDA_12 = gpu.Build("2.11.0+cu128", "12.8")
OLD, NEW = (12, 8), (13, 1)


@pytest.fixture
def hidden(monkeypatch):
    """Make this machine one whose GPUs, if it has any, cannot be seen."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    _forget()
    yield
    _forget()


def _forget():
    """Forget what the driver said."""
    gpu._driver.cache_clear()
    gpu.why_unusable.cache_clear()


@pytest.fixture
def folder(tmp_path):
    """A checkpoint."""
    return str(small.save("qwen2_audio", tmp_path / "model"))


@pytest.mark.parametrize(
    ("build", "driver", "why"),
    [
        (CUDA_13, gpu.Driver(NEW, 1), None),
        (CUDA_12, gpu.Driver(NEW, 8), None),
        (CUDA_12, gpu.Driver((12, 2), 1), None),  # minor versions are compatible
        (gpu.Build("2.14.1", None, "7.1"), None, None),  # ROCm: cannot be told
        (None, None, None),
        (gpu.Build("2.14.1+cpu", None), gpu.Driver(NEW, 1), "torch 2.14.1+cpu is built without"),
        (CUDA_13, None, "there is no NVIDIA driver"),
        (
            CUDA_13,
            gpu.Driver(OLD, 1, version="570.124.06"),
            "torch 2.14.1+cu130 is built for CUDA 13.0, and the NVIDIA driver 570.124.06 is too "
            "old: it runs CUDA up to 12.8, and 580 or newer is needed",
        ),
        (CUDA_13, gpu.Driver(NEW, 0, 100), "none is visible, CUDA_VISIBLE_DEVICES=''"),
        (CUDA_13, gpu.Driver(NEW, 0, 803), "the NVIDIA driver fails with error 803"),
        (CUDA_13, "the NVIDIA driver does not answer", "the NVIDIA driver does not answer"),
    ],
)
def test_why_a_gpu_cannot_be_used(hidden, build, driver, why):
    reason = gpu.judged(build, driver)
    assert reason is None if why is None else reason.startswith(why)


def test_apple_s_gpu_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(gpu.sys, "platform", "darwin")
    why = gpu.judged(gpu.Build("2.14.1", None), None)
    assert why == "torch 2.14.1 is built without CUDA, and Apple's MPS is not supported"


def test_this_machine_s_torch_agrees():
    """What is found without torch is what torch finds, wherever this runs."""
    build = gpu.torch_build()
    assert build.version == torch.__version__
    assert build.cuda == torch.version.cuda
    gpu.why_unusable.cache_clear()
    start = time.perf_counter()
    why = gpu.why_unusable()
    assert time.perf_counter() - start < 10
    assert (why is None) == torch.cuda.is_available()


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12", "535.183.01"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Rel", "580.65.06"),
        ("something else", ""),
    ],
)
def test_version_of_the_driver(tmp_path, line, version):
    (tmp_path / "version").write_text(f"{line}\nGCC version:  gcc version 12.3.0\n")
    assert gpu.driver_version(tmp_path / "version") == version
    assert gpu.driver_version(tmp_path / "none") == ""


def test_it_is_asked_for_wherever_a_checkpoint_is_named(hidden, folder):
    resolve = {"models": {}, "prompts": PROMPTS, "nano_folder": "r/nano"}
    asked = {"backend": "qwen2_audio", "model": folder, "prompt": "baseline"}

    def each(**more):
        check_variant("X", asked | more, CLS, **resolve)
        trained = {name: value for name, value in asked.items() if name != "prompt"}
        check_adapter("x", trained | more, **resolve, seed=1)
        check_search("x", {"on": asked | more}, {}, **resolve)
        hygiene_checks.read_checks(hygiene(**more), **resolve)

    def hygiene(**more):
        check = asked | more | {"nonspeech_above": 0.1, "speech_below": 0.5}
        return {"checks": {"x": check}, "flag_by": "x", "remove": False}

    why = f"device 'auto' finds no GPU for model '{folder}': .*`device: cpu` runs it on the CPU"
    with pytest.raises(ConfigError, match=rf"^variants\.X: .*{why}"):
        check_variant("X", asked, CLS, **resolve)
    with pytest.raises(ConfigError, match=rf"^adapters\.x: {why}"):
        check_adapter("x", {"backend": "qwen2_audio", "model": folder}, **resolve, seed=1)
    with pytest.raises(ConfigError, match=rf"^searches\.x: {why}"):
        check_search("x", {"on": asked}, {}, **resolve)
    with pytest.raises(ConfigError, match=rf"^hygiene\.checks\.x: .*{why}"):
        hygiene_checks.read_checks(hygiene(), **resolve)
    each(device="cpu")
    each(device="cuda")  # the jobs may run elsewhere


def test_a_model_says_for_all_its_rows_where_it_runs(hidden, folder):
    models = {"qwen2_audio": {"model": folder, "device": "cpu"}}
    resolve = {"models": models, "prompts": PROMPTS, "nano_folder": "r/nano"}
    asked = {"backend": "qwen2_audio", "prompt": "baseline"}
    assert check_variant("X", asked, CLS, **resolve)["device"] == "cpu"
    assert check_variant("X", asked | {"device": "cuda"}, CLS, **resolve)["device"] == "cuda"
    assert check_adapter("x", {"backend": "qwen2_audio"}, **resolve, seed=1)[1]["device"] == "cpu"


def test_the_workflow_stops_before_any_job(root, hidden, folder):
    def asked(model):
        a1 = {"A1": {"backend": "qwen2_audio", "prompt": "baseline"}}
        searches = dict.fromkeys(("base", "large", "omni"))
        changes = {"variants": ASKED | a1, "searches": searches}
        return resolved(root, changes | {"models": {"qwen2_audio": model}})

    refused = f"variants.A1: backend 'qwen2_audio': device 'auto' finds no GPU for model '{folder}"
    with pytest.raises(ConfigError, match=f"^{re.escape(refused)}"):
        asked(folder)
    assert "A1" in asked({"model": folder, "device": "cpu"}).runs
    assert "A1" in asked("nano").runs


HOLDING = """
import sys, time, torch
held = torch.empty(int(sys.argv[1]), dtype=torch.uint8, device="cuda")
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("job", [False, True], ids=["another program", "a job of the workflow"])
def test_what_is_free_of_a_real_gpu(tmp_path, monkeypatch, job):
    """What others hold is not free; what jobs hold will be."""
    script = tmp_path / "scripts" / ("tmpab12.score.py" if job else "other.py")
    script.parent.mkdir()
    script.write_text(HOLDING)
    before = asked_driver()
    assert before.free
    size = int(0.4 * before.free[0])
    holding = subprocess.Popen([sys.executable, script, str(size)], stdout=subprocess.PIPE)
    try:
        assert holding.stdout.readline() == b"held\n"
        now = asked_driver()
        assert before.free[0] - now.free[0] >= size
        assert any(process == holding.pid and held >= size for _, process, held in now.held)
        left = gpu._most_free(now, 1)
        assert (left >= now.free[0] + size) == job
        # Weights that fit beside nothing.
        monkeypatch.setattr(gpu, "_driver", lambda: now)
        monkeypatch.setattr(
            gpu, "_needed", lambda *_: int(0.8 * before.free[0]) // gpu.BYTES["gpu"]
        )
        if job:
            gpu.check_memory("auto", "model")
        else:
            with pytest.raises(ValueError, match="GB free for them now, of") as refused:
                gpu.check_memory("auto", "model")
            assert "\n" not in str(refused.value)
    finally:
        holding.kill()
        holding.wait()
