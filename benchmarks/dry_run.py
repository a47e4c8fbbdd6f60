"""Processor time of Snakemake for the plan of a large matrix.

    python benchmarks/dry_run.py --snrs 10 --durations 8 --variants 30

`snakemake -n` of the default configuration with so many SNRs, durations and variants: those of the
default matrix, and more of WebRTC and of Silero, which hear the conditions as well. Nothing has
been run before.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
from itertools import islice, product
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
DURATIONS = (100, 150, 200, 250, 300, 400, 500, 1000)


def more_variants() -> dict[str, dict[str, object]]:
    """Return detectors that all differ in their options."""
    webrtc = [
        {"backend": "webrtc", "mode": mode, "frame_ms": frame}
        for mode, frame in product(range(4), (10, 20, 30))
    ]
    silero = [{"backend": "silero", "level": level} for level in range(-50, 0)]
    return {f"X{number}": options for number, options in enumerate([*webrtc, *silero])}


def configuration(snrs: int, durations: int, variants: int) -> dict[str, object]:
    default = yaml.safe_load((ROOT / "workflow_config.yaml").read_text())
    more = max(0, variants - len(default["variants"]))
    return {
        "grid": {
            "snr_db": list(range(-10, -10 + 3 * snrs, 3)),
            "curve_snr_db": [],
            "duration_ms": list(DURATIONS[-durations:]),
        },
        "variants": dict(islice(more_variants().items(), more)),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--snrs", type=int, default=10)
    asked.add_argument("--durations", type=int, default=8, choices=range(1, len(DURATIONS) + 1))
    asked.add_argument("--variants", type=int, default=30, help="at least the default's")
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    config = configuration(given.snrs, given.durations, given.variants)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "large.yaml")
        file.write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "snakemake", "-n", "-s", str(ROOT / "Snakefile")]
        command += ["--directory", folder, "--quiet", "host", "--configfile", str(file)]
        for _ in range(given.rounds):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if done.returncode:
                sys.exit(done.stdout + done.stderr)
            seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            jobs = re.findall(r"(?m)^total +(\d+)$", done.stdout + done.stderr)
            print(f"{jobs[-1]} jobs planned in {seconds:.1f} s of processor time")


if __name__ == "__main__":
    main()
