"""Runs of the workflow in a copy of the checkout, and what they left."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode

import pandas as pd
import pytest
import yaml

PARTS = [
    *("Snakefile", "rules", "backends", "speechdt"),
    *("workflow_config.yaml", "configs", "profiles", "envs", "CITATION.cff"),
]
NANO = ("A1", "A2", "B2", "B3", "B4", "C1")
MATRIX = (*NANO, "D1", "D2", "L1")
"""Variants of configs/ci.yaml, in order."""
ASKED = dict.fromkeys((*NANO, "B1", "D3", "D4", "L1"))
"""What leaves out all but D1 and D2."""
UNCHECKED = {"checks": {"plan": None, "fair": None}, "flag_by": None}
"""Hygiene that no detector is asked for: each check hears all recordings."""
SMALL = {
    "grid": {"snr_db": [-5, 10], "curve_snr_db": [], "duration_ms": [200, 1000]},
    "trials": {"items": {"dev": 8, "test": 8}},
    "bootstrap": {"replicates": 100},
    "hygiene": UNCHECKED,
    "presentation": {"ladder": ["stored", -26], "axis": [-26]},
    "variants": ASKED,
}
"""A configuration in which these two reach matrix.csv in seconds."""
FEW = SMALL | {
    "corpus": [{"kind": "folder", "path": "few"}],
    "trials": SMALL["trials"] | {"backgrounds": ["white", "brown"], "unseen_origins": 0},
}
"""The same on a corpus of `few_recordings`, in the folder ``few``."""
TRIALS = {"index_corpus", "split_sources", "choose_items", "render_trials", "render_train"}
"""Rules from the recordings to the trials."""


def copy_checkout(root, folder):
    for part in PARTS:
        source = root / part
        if source.is_dir():
            # With what is compiled, but for what another process is just writing.
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("*.pyc.*"))
        else:
            shutil.copy(source, folder / part)
    (folder / "corpus").symlink_to(root / "corpus")
    return folder


def copy_begun(root, finished, folder):
    """Copy the checkout, and of a finished run what is made of the recordings alone."""
    folder.mkdir(parents=True, exist_ok=True)
    copy_checkout(root, folder)
    copy_corpus(finished, folder)
    return folder


def copy_corpus(finished, folder, results="results"):
    """Copy what a run has made of the recordings alone, with the records of it."""
    for part in (".snakemake", f"{results}/corpus", f"{results}/manifest"):
        shutil.copytree(finished / part, folder / part)


def once(tmp_path_factory, name, make):
    """Return a folder that is made once, by whichever process of a test run asks for it first.

    Nobody writes into it afterwards: other processes may be copying it.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, begun = shared / name, shared / f"{name} begun"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if begun.exists():
            pytest.fail(f"{folder} could not be made: see the first test that needed it")
        if not folder.exists():
            begun.touch()
            folder.mkdir()
            make(folder)
            begun.unlink()
    return folder


def few_recordings(root, folder, groups=16):
    """Copy a recording of each of so many groups of each category: an index of a second."""
    table = pd.read_csv(root / "corpus" / "manifest.csv")
    table = table[table["seconds"].between(1.2, 8)].drop_duplicates("group_id")
    few = table.groupby("category").head(groups)
    for path in few["path"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "corpus" / path, folder / path)
    few.to_csv(folder / "manifest.csv", index=False)


def command(*arguments, config="configs/ci.yaml"):
    # The configuration comes last: its options take every word that follows.
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "2"]
    return [*snakemake, *arguments, "--configfile", config]


def run(folder, *arguments, config="configs/ci.yaml", path="", check=True):
    """Run the workflow and return all that it prints."""
    done = subprocess.run(
        command(*arguments, config=config),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(path)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if check and done.returncode:
        pytest.fail(done.stdout)
    return done.stdout


def planned(folder, *arguments, **options):
    """Return the messages of the jobs that a run would do."""
    return re.findall(r"^Job \d+: (.*)$", run(folder, "-n", *arguments, **options), re.MULTILINE)


def files_of(folder, *targets, **options):
    """Return of every file that targets come from: rule, and whether a run would make it anew."""
    printed = run(folder, *targets, "--summary", **options)
    lines = [line.split("\t") for line in printed.splitlines() if line.count("\t") == 5]
    header, *rows = lines
    assert (header[0], header[2], header[5]) == ("output_file", "rule", "plan")
    return {row[0]: (row[2], row[5] == "update pending") for row in rows}


def inputs_of(folder, output):
    """Return what Snakemake made a file from; nothing, if it did not make it."""
    name = urlsafe_b64encode(output.encode()).decode()
    record = folder / ".snakemake" / "metadata" / name
    return json.loads(record.read_text())["input"] or [] if record.exists() else []


def scored(folder, variant):
    """Return how many clips the last scoring job of a variant asked its detector for.

    That is the job of the base that it shares, or its own.
    """
    logs = folder / "results" / "logs"
    for file in logs.glob("score_part/*.log"):
        if match := re.search(rf"clips scored: .*'{variant}': (\d+)", file.read_text()):
            return int(match[1])
    log = (logs / "score" / f"{variant}.log").read_text()
    return int(re.search(r"scored (\d+) clips", log)[1])


def digests(folder, *patterns):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for pattern in patterns
        for file in sorted(folder.glob(pattern))
    }


def add_to_config(checkout, text):
    """Merge YAML into the small configuration of a checkout."""
    file = checkout / "configs" / "ci.yaml"
    config = yaml.safe_load(file.read_text())
    for key, value in yaml.safe_load(text).items():
        config[key] = config.get(key, {}) | value
    file.write_text(yaml.safe_dump(config))
