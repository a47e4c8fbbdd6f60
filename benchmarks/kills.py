"""Kill runs of the workflow at random moments, and compare what they end with.

Two undisturbed runs first: files that they do not have alike hold times of day or durations, and
are left out of the comparison. Then one run is begun, killed with all of its processes (SIGKILL)
after a random while, and begun again, until it ends; its files are compared, it is wiped, and the
next one is begun, until there were so many kills.

    python benchmarks/kills.py --moments 50
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGETS = ("all", "paper", "release")
VARIANTS = "A1 A2 B1 B3 B4 C1 D3 D4 L1"
"""Rows that are left out: WebRTC, Silero and a nano model with an adapter stay."""
SETTINGS = f"""\
grid: {{snr_db: [-5, 10], curve_snr_db: [-15], duration_ms: [200, 1000]}}
trials: {{items: {{dev: 10, test: 16}}, growing: [16]}}
bootstrap: {{replicates: 100}}
latency: {{clips: 20}}
nano: {{reading_steps: 5, hearing_steps: 5, clips: 8}}
gallery: {{clips: 4, embedded: 4}}
adapters:
  small: {{clips: 16, epochs: 2, batch_size: 4, eval_steps: 2, warmup_steps: 1, dev_clips: 16}}
variants: {{{", ".join(f"{name}: null" for name in VARIANTS.split())}}}
"""
NOT_COMPARED = ("logs", "benchmarks", "cache", "manifest")
"""Folders of results that say how a run went."""


def checkout(folder: Path) -> Path:
    """Clone this checkout's last commit, with the small configuration."""
    if folder.exists():  # of a campaign that was broken off
        wipe(folder)
        return folder
    command = ["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)]
    subprocess.run(command, check=True)
    (folder / "kills.yaml").write_text(SETTINGS)
    return folder


def start(folder: Path, cores: int) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own; what it says goes to a file."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *TARGETS]
    with (folder / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [*command, "--configfile", "kills.yaml"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            start_new_session=True,
            stdout=said,
            stderr=subprocess.STDOUT,
        )


def whole(folder: Path, cores: int) -> float:
    """Run to the end and return the seconds that it took."""
    begun = time.perf_counter()
    if start(folder, cores).wait():
        sys.exit((folder / "said.txt").read_text()[-3000:])
    return time.perf_counter() - begun


def kill(run: subprocess.Popen[bytes]) -> None:
    """Kill a run with all of its processes, and wait until none is left."""
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    while True:
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def unlock(folder: Path) -> str:
    """Free the folder as `make results` does; return why it cannot be, '' if it is free."""
    settings = {"cwd": folder, "env": os.environ | {"PYTHONPATH": str(folder)}, "text": True}
    own = [sys.executable, "-m", "speechdt.workflow.unlock"]
    done = subprocess.run(own, capture_output=True, **settings)
    if done.returncode == 0:
        return ""
    by_hand = [sys.executable, "-m", "snakemake", "--unlock", "--configfile", "kills.yaml"]
    subprocess.run(by_hand, check=True, capture_output=True, **settings)
    return done.stderr.strip()


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of each file of the results."""
    results = folder / "results"
    return {
        str(name): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(results.rglob("*"))
        if file.is_file()
        and (name := file.relative_to(results)).parts[0] not in NOT_COMPARED
        and not file.name.startswith(".")
    }


def wipe(folder: Path) -> None:
    """Remove all that a run has made."""
    subprocess.run(["git", "clean", "-fdxq", "-e", "kills.yaml"], cwd=folder, check=True)
    subprocess.run(["git", "checkout", "-q", "."], cwd=folder, check=True)


def differing(ours: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Return the names of files that are not the same, or not in both."""
    names = sorted(ours.keys() | expected.keys())
    return [name for name in names if ours.get(name) != expected.get(name)]


def killed_runs(folder: Path, moments: int, longest: float, seed: int, cores: int) -> Iterator[str]:
    """Yield after each kill what was being done, and after each run that ended 'ended'.

    A run that ends by itself, and not well, is 'failed'; a lock that needed a hand, 'by hand'.
    """
    chance, kills = random.Random(seed), 0
    while kills < moments:
        run = start(folder, cores)
        try:
            code = run.wait(timeout=chance.uniform(0.2, longest))
        except subprocess.TimeoutExpired:
            kill(run)
            kills += 1
            yield at_work(folder)
            if why := unlock(folder):
                yield f"by hand: {why}"
            continue
        yield "ended" if code == 0 else "failed"
    whole(folder, cores)
    yield "ended"


def at_work(folder: Path) -> str:
    """Return the rules whose jobs were under way, by the manifest of the results."""
    entries = [
        json.loads(file.read_text()) for file in (folder / "results/manifest").glob("*/*.json")
    ]
    rules = sorted({entry["rule"] for entry in entries if not entry["complete"]})
    return f"{', '.join(rules) or 'no job'} ({sum(e['complete'] for e in entries)} done)"


def main() -> None:
    """Print a line a kill, and the figures as JSON in the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--longest", type=float, default=60.0, help="seconds before a kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one by default")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    runs = checkout(folder / "run")
    seconds, found = [], []
    for undisturbed in (folder / "first", folder / "second"):
        if not undisturbed.exists():  # of a campaign that was broken off
            seconds.append(whole(runs, asked.cores))
            undisturbed.mkdir()
            (runs / "results").rename(undisturbed / "results")
            wipe(runs)
        found.append(digests(undisturbed))
    clocked = set(differing(*found))
    expected = {name: digest for name, digest in found[0].items() if name not in clocked}
    print(f"undisturbed runs: {[round(s) for s in seconds]} s; {len(expected)} files alike,")
    print(f"not alike: {', '.join(sorted(clocked))}", flush=True)
    outcomes, wrong, ended = Counter[str](), [], 0
    for said in killed_runs(runs, asked.moments, asked.longest, asked.seed, asked.cores):
        kind = said.partition(":")[0]
        outcomes[kind if kind in ("ended", "failed", "by hand") else "killed"] += 1
        print(f"{outcomes['killed']:3d} {said}", flush=True)
        if said == "failed":
            print((runs / "said.txt").read_text()[-3000:], flush=True)
        if said == "ended":
            ours = {name: d for name, d in digests(runs).items() if name not in clocked}
            wrong += differing(ours, expected)
            ended += 1
            wipe(runs)
            print(f"    run {ended} ended: {len(ours)} files, not the same: {wrong}", flush=True)
    figures = {"files": len(expected), "not the same": wrong}
    print(json.dumps({"failed": 0, "by hand": 0} | outcomes | figures))
    if asked.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
