"""Computing environment of a result: machine, package versions, revision."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("speechdt", "snakemake", "numpy", "scipy", "pandas", "pyarrow", "matplotlib"),
    *("soundfile", "soxr", "webrtcvad-wheels", "silero-vad", "onnxruntime"),
    *("torch", "torchaudio", "transformers", "peft", "accelerate"),
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results may depend on."""
    software = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            software[package] = version(package)
        except PackageNotFoundError:
            software[package] = "not installed"
    return software


def hardware() -> dict[str, Any]:
    """Return processor, cores, memory (GiB) and GPUs of this machine."""
    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": _gpus(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def revision(folder: Path) -> str:
    """Return the git commit of a checkout, with ``+changes`` if files differ; '' outside git."""
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        return commit + ("+changes" if _git(folder, "status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[str]:
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return []
    return listed.stdout.strip().splitlines()
