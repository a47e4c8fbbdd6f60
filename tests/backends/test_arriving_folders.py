"""Checkpoints as they arrive: each lack is one line with its remedy, before any job."""

import math
import os
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler

import pytest
from support import qwen_models as small
from support import spoilt_checkpoints as spoilt
from support.chat_servers import running

from speechdt import files, find_detectors
from speechdt.workflow.variants import ConfigError, check_variant

CLS = find_detectors()["qwen2_audio"]
reach = sys.modules[CLS.__module__.replace("detector", "reachable")]
gpu = sys.modules[CLS.__module__.replace("detector", "gpu")]
PROMPTS = {"baseline": "Speech?\n\nA) yes\nB) no"}
REPO = "owner/model"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return spoilt.sharded(tmp_path_factory.mktemp("whole") / "model")


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "model")


def checked(model, **more):
    entry = {"backend": "qwen2_audio", "prompt": "baseline", "device": "cpu", "model": str(model)}
    resolve = {"models": {}, "prompts": PROMPTS, "nano_folder": "r/nano"}
    return check_variant("X", entry | more, CLS, **resolve)


def refused(model, **more):
    with pytest.raises(ConfigError) as error:
        checked(model, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(("spoil", "why"), spoilt.WAYS)
def test_a_folder_that_is_not_all_there(folder, spoil, why):
    checked(folder)
    spoil(folder)
    assert why in refused(folder)
    assert str(folder) in refused(folder)


def test_folders_named_from_home_and_from_here(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert checked("~/model")["model"] == str(folder)
    monkeypatch.chdir(folder.parent)
    assert checked("./model")["model"] == "model"
    assert "is no folder on this machine" in refused("~/none")
    assert "is no folder on this machine" in refused("./none/there")


class Status(BaseHTTPRequestHandler):
    """A hub that answers with one status."""

    def do_HEAD(self):
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Make the hub one of ours, with an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with running(Status, status=200) as (server, url):
        template = url + "/{repo_id}/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield server
    reach._why_not_given.cache_clear()


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (
            401,
            "(HTTP 401: a login is needed, or there is no such model: run `hf auth",
        ),
        (403, "(HTTP 403: access is refused: accept its terms on its page"),
        (404, "(HTTP 404: it has no such model or revision): run `hf download owner/model`"),
        (429, "(HTTP 429: it is asked too often: try again later)"),
        (503, "(HTTP 503: try again later)"),
    ],
)
def test_what_a_hub_refuses_is_said(hub, status, why):
    reach._why_not_given.cache_clear()
    checked(REPO)
    hub.status = status
    reach._why_not_given.cache_clear()
    assert why in refused(REPO)


def test_a_job_asks_no_hub_again(hub, monkeypatch):
    hub.status = 404
    monkeypatch.setenv(reach.ASKED, "1")
    reach._why_not_given.cache_clear()
    checked(REPO)
    reach._why_not_given.cache_clear()
    monkeypatch.delenv(reach.ASKED)
    assert "404" in refused(REPO)


def test_a_cached_checkpoint_is_loaded_without_a_network(whole, hub, tmp_path, monkeypatch):
    snapshot = spoilt.cached(whole, tmp_path / "hub")
    hub.status = 500
    checked(REPO)
    assert reach.located(REPO) == str(snapshot)
    assert reach.located(REPO, snapshot.name) == str(snapshot)
    assert reach.located(str(whole)) == str(whole)
    detector = CLS(model=REPO, device="cpu")
    assert detector.lm.name_or_path == REPO
    clips = [small.clip(300)]
    assert detector.score(clips) == CLS(model=str(whole), device="cpu").score(clips)


def test_a_cache_that_holds_a_part(whole, hub, tmp_path):
    spoilt.cached(whole, tmp_path / "hub", "config.json")
    assert reach.located(REPO) == REPO
    checked(REPO)  # the hub has the rest
    hub.status = 503
    reach._why_not_given.cache_clear()
    assert "not on this machine, but for a part (it has no weights" in refused(REPO)


@pytest.fixture
def count(folder):
    return sum(math.prod(shape) for shape in gpu.base_shapes(str(folder)).values())


def memory(total, available=None):
    sizes = {"total": total, "available": total if available is None else available}
    return lambda: type("Memory", (), sizes)


def test_weights_that_no_memory_holds(folder, count, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", memory(4 * count))
    checked(folder)
    monkeypatch.setattr("psutil.virtual_memory", memory(4 * count - 1))
    message = refused(folder)
    assert f"the weights of model '{folder}' take 0.0 GB, and the RAM has 0.0 GB" in message
    assert "`quantization: nf4`" in message


@pytest.mark.parametrize(
    ("sizes", "gpus", "why"),
    [
        ((2, 2), 1, None),
        ((1, 2), 1, None),  # the job takes the one that holds it
        ((1, 1), 2, None),
        ((1, 1), 1, "the GPU has"),
        ((1, 0.9), 2, "2 GPUs have"),
    ],
)
def test_weights_that_the_claimed_gpus_do_not_hold(folder, count, monkeypatch, sizes, gpus, why):
    monkeypatch.setattr(gpu, "why_unusable", lambda: None)
    each = tuple(int(size * count) for size in sizes)
    monkeypatch.setattr(gpu, "_driver", lambda: gpu.Driver((13, 0), len(sizes), memory=each))
    if why is None:
        checked(folder, device="auto", gpus=gpus)
    else:
        assert why in refused(folder, device="auto", gpus=gpus)


@pytest.fixture
def job(tmp_path):
    """A process that looks like a job of a workflow, and holds 40 MB."""
    script = tmp_path / ".snakemake" / "scripts" / "tmpx_1y2z3.score.py"
    script.parent.mkdir(parents=True)
    script.write_text(
        "kept = bytearray(40_000_000)\nprint(flush=True)\nimport time; time.sleep(60)"
    )
    running = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    running.stdout.readline()
    yield running.pid
    running.kill()
    running.wait()


def test_ram_that_is_not_free_now(folder, count, monkeypatch, tmp_path):
    monkeypatch.setattr("psutil.virtual_memory", memory(400 * count, 4 * count))
    checked(folder)
    monkeypatch.setattr("psutil.virtual_memory", memory(400 * count, 4 * count - 1))
    monkeypatch.setattr(gpu, "is_job", lambda process: False)
    message = refused(folder)
    assert f"model '{folder}' take" in message
    assert "and the RAM has" in message
    assert "free for them now, of" in message
    monkeypatch.setenv(gpu.ELSEWHERE, "1")  # a job, or one that sends jobs elsewhere
    checked(folder)


def test_what_our_own_jobs_hold_is_free_soon(folder, count, monkeypatch, job):
    assert gpu.is_job(job)
    assert not gpu.is_job(os.getpid())
    assert 4 * count < 40_000_000
    monkeypatch.setattr("psutil.virtual_memory", memory(400 * count, 0))
    checked(folder)
    monkeypatch.setattr(gpu, "why_unusable", lambda: None)
    total, free = 100 * count, count
    for process, why in ((job, None), (os.getpid(), "the GPU has")):
        held = ((0, process, 99 * count),)
        driver = gpu.Driver((13, 0), 1, memory=(total,), free=(free,), held=held)
        monkeypatch.setattr(gpu, "_driver", lambda driver=driver: driver)
        if why is None:
            checked(folder, device="auto")
        else:
            assert why in refused(folder, device="auto")


def test_large_files_are_told_apart_without_being_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGE", 10)
    monkeypatch.setattr(files, "BEGINNING", 5)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"0123456789 and more")
    first = files.content_hash(tmp_path)
    assert files.content_hash(tmp_path) == first
    file.write_bytes(b"0123456789 and much more")
    second = files.content_hash(tmp_path)
    os.utime(file, ns=(1, 1))
    assert len({first, second, files.content_hash(tmp_path)}) == 3
