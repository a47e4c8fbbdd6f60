"""Mistakes in the configuration, the plugins and the corpus: one line, nothing lost."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from support.checkouts import (
    ASKED,
    FEW,
    add_to_config,
    command,
    copy_checkout,
    digests,
    planned,
    run,
)
from support.plugins import MINE

from speechdt.reporting.tables.reading import read_table


def timed(function, *arguments, **options):
    """Return how long a call takes, and what it returns."""
    start = time.perf_counter()
    returned = function(*arguments, **options)
    return time.perf_counter() - start, returned


@pytest.fixture(scope="module")
def small(root, tmp_path_factory):
    """A checkout in which nothing has run."""
    return copy_checkout(root, tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("variants={D2: {backend: silero, poling: max}}", "D2: backend 'silero': no option 'polin"),
        ("seeed=1", r"unknown key 'seeed' \(did you mean 'seed'\?\)"),
    ],
)
def test_a_mistake_in_the_configuration_is_one_line_within_seconds(small, override, message):
    # One that the schema refuses and one that it does not; more in tests/workflow/test_mistakes.py.
    # Within 3 s; on a machine that others keep busy, within what 3 s are on an idle one, where
    # Snakemake alone takes 0.5 s to start. One of two attempts may be unlucky.
    for _ in range(2):
        start, _ = timed(subprocess.run, [sys.executable, "-c", "import snakemake.api"], check=True)
        taken, printed = timed(run, small, "-n", "--config", override, check=False)
        in_time = taken < max(3, 6 * start)
        if in_time:
            break
    assert in_time, f"{taken:.1f} s, and {start:.1f} s to start Snakemake"
    errors = [line for line in printed.splitlines() if "error" in line.lower()]
    assert len(errors) == 1
    assert re.search(message, errors[0])
    assert "Traceback" not in printed


def test_a_misspelt_hook_is_one_line(root, tmp_path):
    copy_checkout(root, tmp_path)
    (tmp_path / "backends" / "mine.py").write_text(MINE.replace("def detectors", "def detektors"))
    printed = run(tmp_path, "-n", check=False)
    assert "error: plugin backends/mine.py marks an unknown hook: detektors" in printed


def test_an_interrupted_run_ends_with_what_was_at_work(root, tmp_path):
    copy_checkout(root, tmp_path)
    log = tmp_path / "printed"
    begun = tmp_path / "results" / "manifest" / "index_corpus" / "index_corpus.json"
    with log.open("w") as printed:
        process = subprocess.Popen(
            command("results/corpus/sources.parquet"),
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": ""},
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # What a shell has put into the background ignores it, and so would all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while process.poll() is None and not begun.exists():
            time.sleep(0.1)
        for _ in range(30):
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal
            try:
                assert process.wait(2)
                break
            except subprocess.TimeoutExpired:
                continue  # an import may swallow the first
    last = log.read_text().rstrip().splitlines()[-1]
    assert last == "stopped while at work on index_corpus; run again to go on"


def test_a_plugin_that_fails_only_when_it_is_built_is_one_line_and_loses_nothing(checkout):
    text = MINE.replace(
        "    gpus = 0", "    gpus = 0\n    def __init__(self): raise OSError('no libx.so')"
    )
    (checkout / "backends" / "mine.py").write_text(text)
    add_to_config(checkout, "variants: {X1: {backend: mine}}")
    before = digests(checkout, "results/scores/**/*.parquet")
    printed = run(checkout, "--keep-going", "results/tables/matrix.csv", check=False)
    errors = [line for line in printed.splitlines() if line.startswith("error:")]
    why = "backend 'mine' fails when it is built: OSError: no libx.so"
    assert errors == [f"error: choose X1: {why}"]
    assert digests(checkout, "results/scores/**/*.parquet") == before


def test_a_checkpoint_out_of_reach_is_refused_before_any_job(root, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    copy_checkout(root, tmp_path)
    config = yaml.safe_load((tmp_path / "configs" / "paper.yaml").read_text())
    del config["corpus"], config["leave_one_out"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    printed = run(tmp_path, "-n", config="mine.yaml", check=False)
    (error,) = [line for line in printed.splitlines() if line.startswith("error")]
    assert "variants.A1: backend 'qwen2_audio': model 'Qwen/Qwen2-Audio-7B-Instruct'" in error
    assert "hf download" in error


def test_a_search_on_a_backend_that_no_variant_uses_is_left_out(root, tmp_path):
    copy_checkout(root, tmp_path)
    config = yaml.safe_load((tmp_path / "configs" / "ci.yaml").read_text())
    config["searches"]["omni"] = config["searches"]["base"]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config | {"variants": {"C1": None}}))
    note = "searches left out, since no variant uses them: omni (on qwen3_omni)"
    for target, left_out in (("all", True), ("results/prompts/omni.json", False)):
        printed = run(tmp_path, "-n", target, config="mine.yaml")
        assert printed.count(note) == 1
        for message in ("Training the nano qwen3_omni", "Searching for a prompt on dev.*: omni"):
            assert (re.search(message, printed) is None) == left_out
    # Without any language model nothing is trained but what the matrix trains itself.
    config["variants"] = {name: None for name in ASKED if name != "L1"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    jobs = planned(tmp_path, config="mine.yaml")
    assert [job for job in jobs if "raining" in job or "uning" in job] == [
        "Fine-tuning logmel (logmel)"
    ]
    assert not [job for job in jobs if "prompt" in job]


def test_one_s_own_folders_with_bad_files_in_them(root, tmp_path):
    copy_checkout(root, tmp_path)
    laid_out, listed = tmp_path / "laid_out", tmp_path / "listed"
    own_corpus(root, laid_out, slice(0, 8))
    pd.DataFrame(own_corpus(root, listed, slice(8, 16))).to_csv(
        listed / "manifest.csv", index=False
    )
    own = [{"kind": "folder", "path": folder.name} for folder in (laid_out, listed)]
    config = FEW | {"corpus": own}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    # All that comes behind the matrix is tested with other corpora than the embedded one elsewhere.
    run(tmp_path, "results/tables/matrix.csv", config="mine.yaml")
    rejected = pd.read_csv(tmp_path / "results" / "corpus" / "rejected.csv")
    for folder in (laid_out, listed):
        of_it = rejected[rejected["path"].str.contains(f"{folder.name}/")]
        reasons = {Path(path).name: why for path, why in of_it[["path", "reason"]].values}
        assert reasons.keys() == {"text.wav", "empty.wav", "nan.wav"}
        assert "not readable as audio" in reasons["text.wav"]
        assert reasons["empty.wav"] == "empty file"
        assert reasons["nan.wav"] == "NaN or infinite samples"
    sources = pd.read_parquet(tmp_path / "results" / "corpus" / "sources.parquet")
    for folder in (laid_out, listed):
        assert sources["path"].str.contains(rf"{folder.name}/.*\.mp3$").any()
    matrix = read_table(tmp_path / "results" / "tables" / "matrix.csv")
    assert np.isfinite(matrix["balanced_accuracy"]).all()


def own_corpus(root, own, chosen):
    """Write 8 kHz stereo MP3 and WAV from the embedded corpus, and bad files; return a manifest.

    `chosen` is a slice of the groups of each category.
    """
    table = pd.read_csv(root / "corpus" / "manifest.csv")
    table = table[table["seconds"] > 1.2]
    rows = []
    for (label, category), part in table.groupby(["label", "category"]):
        groups = part.drop_duplicates("group_id").iloc[chosen]
        for number, source in enumerate(groups.itertuples()):
            samples, rate = soundfile.read(root / "corpus" / source.path)
            folder = "speech" if label == "SPEECH" else f"nonspeech/{category}"
            path = Path(folder) / (f"g{number}/{number}.mp3" if number % 2 else f"{number}.wav")
            (own / path).parent.mkdir(parents=True, exist_ok=True)
            stereo = np.stack([samples[::2], samples[::2]], axis=1)
            soundfile.write(own / path, stereo, rate // 2)
            rows.append({"path": str(path), "label": label, "category": category})
            rows[-1]["group_id"] = f"{category}{number}"
    speech = own / "speech"
    (speech / "text.wav").write_text("this is no audio")
    (speech / "empty.wav").write_bytes(b"")
    soundfile.write(speech / "nan.wav", np.full(32_000, np.nan), 16_000, subtype="FLOAT")
    for name in ("text.wav", "empty.wav", "nan.wav"):
        rows.append({"path": f"speech/{name}", "label": "SPEECH", "category": "speech"})
        rows[-1]["group_id"] = name
    return rows


def test_a_class_that_runs_dry_is_one_line_and_keeps_what_was_computed(root, tmp_path):
    copy_checkout(root, tmp_path)
    own_corpus(root, tmp_path / "own", slice(0, 8))
    shutil.rmtree(tmp_path / "own" / "speech")
    own = FEW | {"corpus": [{"kind": "folder", "path": "own"}]}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(own))
    printed = run(tmp_path, "results/tables/matrix.csv", config="mine.yaml", check=False)
    (line,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert line == printed.rstrip().splitlines()[-1]
    why = "dev: the corpus has no SPEECH source; 8 items are missing"
    assert line.startswith(f"error: split_sources: {why}")
    assert (tmp_path / "results" / "corpus" / "index.parquet").exists()
