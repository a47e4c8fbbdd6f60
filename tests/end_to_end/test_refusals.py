"""Refusals by the workflow itself: one line, no traceback, before any job."""

import os
import shutil
import subprocess
import time
from http.server import BaseHTTPRequestHandler

import psutil
import pytest
import yaml
from support import qwen_models as small
from support import spoilt_checkpoints as spoilt
from support.chat_servers import running
from support.checkouts import ASKED, command, copy_checkout

pytestmark = pytest.mark.campaign

REPO = "owner/model"
NOTICES = ("Using workflow specific profile", "Config file")
"""What Snakemake prints first of any run."""
TWO = "A) yes\nB) no"
PROMPTS = {"third": f"{TWO}\nC) both", "lower": "a) yes\nb) no", "none": "Speech?"}


@pytest.fixture(scope="module")
def checkout(root, tmp_path_factory):
    folder = copy_checkout(root, tmp_path_factory.mktemp("refusals"))
    spoilt.sharded(folder / "whole")
    small.save("qwen3_omni", folder / "omni")
    return folder


@pytest.fixture
def model(checkout):
    shutil.rmtree(checkout / "model", ignore_errors=True)
    return shutil.copytree(checkout / "whole", checkout / "model")


def dry_run(checkout, entry, environment=(), **more):
    """Return the status and the output of a workflow with one variant of that entry."""
    config = yaml.safe_load((checkout / "configs" / "ci.yaml").read_text())
    row = {"backend": "qwen2_audio", "model": "model", "device": "cpu"}
    row = {"prompt": "baseline"} | ({} if "base_url" in entry else row) | entry
    config["variants"] = ASKED | {"M1": row}
    config["searches"] = dict.fromkeys(("base", "large", "omni"))
    (checkout / "mine.yaml").write_text(yaml.safe_dump(config | more))
    done = subprocess.run(
        command("-n", config="mine.yaml"),
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": ""} | dict(environment),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout


def refuse(checkout, entry, why, environment=(), **more):
    status, printed = dry_run(checkout, entry, environment, **more)
    assert status != 0, printed
    assert "Traceback" not in printed
    assert "Job " not in printed
    lines = [line for line in printed.splitlines() if line and not line.startswith(NOTICES)]
    assert len(lines) == 1, printed
    (line,) = lines
    assert line.startswith("error: ")
    assert why in line


def test_what_is_whole_passes(checkout, model):
    status, printed = dry_run(checkout, {})
    assert status == 0, printed
    assert "Scoring dev and test with M1" in printed


@pytest.mark.parametrize(("spoil", "why"), spoilt.WAYS)
def test_a_folder_that_is_not_all_there(checkout, model, spoil, why):
    spoil(model)
    refuse(checkout, {}, why)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"model": "~/none"}, "is no folder on this machine"),
        ({"model": "./none/there"}, "is no folder on this machine"),
        ({"device": "auto"}, "device 'auto' finds no GPU for model 'model': "),
        ({"device": "mps"}, "option 'device' cannot be 'mps'"),
        ({"quantization": "int4"}, "option 'quantization' cannot be 'int4'"),
        ({"backend": "qwen3_omni", "model": "omni", "quantization": "nf4"}, "is for qwen2_audio"),
        ({"prompt": "third"}, "here is C"),
        ({"prompt": "lower"}, "called a and b; write A and B"),
        ({"prompt": "none", "option_order": "both"}, "one line 'A"),
        ({"adapter": "whole/none"}, "adapter"),
        (
            {"backend": "served", "model": "m", "base_url": "http://127.0.0.1:1/v1"},
            "the server at 127.0.0.1 cannot be reached",
        ),
    ],
)
def test_what_an_entry_cannot_ask_for(checkout, model, entry, why):
    hidden = {"CUDA_VISIBLE_DEVICES": ""}
    named = {name: text for name, text in PROMPTS.items() if name == entry.get("prompt")}
    refuse(checkout, entry, why, hidden, prompts={"baseline": TWO} | named)


@pytest.mark.parametrize(
    ("share", "why"), [("all", "and the RAM has"), ("free", "GB free for them now, of")]
)
def test_weights_that_the_memory_does_not_hold(checkout, model, share, why):
    """A header says how large they are; of the file itself nothing is written."""
    memory = psutil.virtual_memory()
    # Other workflows' jobs may hold much, which counts as free.
    needed = 2 * memory.total if share == "all" else memory.total * 99 // 100
    count = needed // 4
    header = f'{{"x.weight":{{"dtype":"BF16","shape":[{count}],"data_offsets":[0,{2 * count}]}}}}'
    (model / spoilt.INDEX).unlink()
    with (model / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header.encode())
        file.truncate(8 + len(header) + 2 * count)
    refuse(checkout, {}, why)


class Status(BaseHTTPRequestHandler):
    """A hub that answers with one status, after some time."""

    def do_HEAD(self):
        time.sleep(self.server.wait)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("status", "wait", "why"),
    [
        (401, 0, "HTTP 401: a login is needed"),
        (403, 0, "HTTP 403: access is refused"),
        (404, 0, "HTTP 404: it has no such model or revision"),
        (429, 0, "HTTP 429: it is asked too often"),
        (503, 3, "HTTP 503: try again later"),  # 3 s are not too long
        (200, 30, "the hub does not give it ("),
    ],
)
def test_a_hub_that_does_not_give_it(checkout, tmp_path, status, wait, why):
    with running(Status, status=status, wait=wait) as (_, url):
        hub = {"HF_ENDPOINT": url, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "0"}
        start = time.perf_counter()
        refuse(checkout, {"model": REPO}, why, hub)
        assert time.perf_counter() - start > min(wait, 10)


def test_a_cache_with_the_settings_alone(checkout, tmp_path):
    spoilt.cached(checkout / "whole", tmp_path, "config.json")
    offline = {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    refuse(checkout, {"model": REPO}, "but for a part (it has no weights", offline)
