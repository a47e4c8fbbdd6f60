"""Kept files that are damaged, all at once: named, set aside, and healed by one more run."""

import re
import shutil

import pytest
from support.checkouts import add_to_config, digests, run
from support.damages import DAMAGES

TARGETS = [f"results/calibration/{name}.json" for name in ("D2", "A1", "B2")]
SAME = (
    *("results/calibration/*.json", "results/scores/*/dev/*.parquet"),
    *("results/scores/*/test/*.parquet", "results/trials/*/*.parquet"),
    *("results/adapters/small/*", "results/models/nano/qwen2_audio/*"),
)
HURT = {
    "results/cache/scores/silero-*.sqlite": "a block of zeros",
    "results/trials/dev/snr10_dur200.parquet": "cut in half",
    "results/trials/test/snr-5_dur1000.parquet": "a byte of its body",
    "results/models/nano/qwen2_audio/model.safetensors": "a byte of its body",
    "results/cache/models/qwen2_audio-*/model.safetensors": "emptied",
    "results/adapters/small/adapter_model.safetensors": "a byte of its end",
    "results/choices/D2.json": "replaced by text",
    "results/trials/dev/clean_dur1000.parquet": "replaced by a folder",
}
"""Kept files, and what happens to each."""


@pytest.mark.campaign  # several runs, one after another
def test_whatever_is_damaged_heals_by_running_again(checkout):
    before = digests(checkout, *SAME)
    hurt = {file: kind for name, kind in HURT.items() for file in sorted(checkout.glob(name))}
    assert len(hurt) >= len(HURT)
    for file, kind in hurt.items():
        DAMAGES[kind](file)
    for name in ("D2", "A1", "B2"):
        shutil.rmtree(checkout / "results" / "scores" / name)
        (checkout / "results" / "calibration" / f"{name}.json").unlink()
    first = run(checkout, *TARGETS, check=False)
    assert "error: " in first
    printed = first + run(checkout, *TARGETS)
    assert "Traceback" not in printed
    lines = [line for line in printed.splitlines() if " is damaged (" in line]
    for file in hurt:
        paths = [str(path.relative_to(checkout)) for path in (file, file.parent)]
        assert any(path in line for line in lines for path in paths), (file, printed)
    assert list(checkout.glob("results/**/*.damaged"))
    assert digests(checkout, *SAME) == before
    assert "Nothing to be done" in run(checkout, *TARGETS)


KILLED = """
import os, signal
from speechdt import hookimpl
class Mine:
    gpus = 0
    def score(self, clips): os.kill(os.getpid(), signal.SIGKILL)
@hookimpl
def detectors(): return {"mine": Mine}
"""


def test_a_job_that_is_killed_is_said_when_the_run_ends(checkout):
    (checkout / "backends" / "mine.py").write_text(KILLED)
    add_to_config(checkout, "variants: {X1: {backend: mine}}")
    printed = run(checkout, "results/calibration/X1.json", check=False)
    (line,) = re.findall(r"^error: the job (?:score|choose).*", printed, re.MULTILINE)
    assert re.search(r"\(X1\) was killed, probably out of memory: \d+ MiB were asked$", line)
