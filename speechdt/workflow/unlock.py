"""Release of a lock that a killed run left: ``python -m speechdt.workflow.unlock``.

Snakemake locks its folder, and a killed Snakemake leaves it locked. The lock does not say who holds
it, so any live process of Snakemake's in this folder is taken for the holder.
"""

import os
import shutil
import sys
from pathlib import Path

import psutil

LOCKS = Path(".snakemake") / "locks"


def is_locked(folder: Path) -> bool:
    """Say whether a run has locked the folder."""
    locks = folder / LOCKS
    return locks.is_dir() and any(locks.iterdir())


def holders(folder: Path) -> list[int]:
    """Return the processes, other than this one's ancestors, that run Snakemake in the folder."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter(["pid", "cwd", "cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        here = process.info["cwd"] == str(folder)
        if here and "snakemake" in command and process.info["pid"] not in own:
            found.append(process.info["pid"])
    return found


def main() -> None:
    """Unlock the working directory if nobody is at work there."""
    folder = Path.cwd()
    if not is_locked(folder):
        return
    if pids := holders(folder):
        sys.exit(f"error: a run is going on in {folder} (process {pids[0]})")
    print("A killed run left this folder locked; unlocking it.", file=sys.stderr)
    # What `snakemake --unlock` does, without its having to read the workflow.
    shutil.rmtree(folder / LOCKS)


if __name__ == "__main__":
    main()
