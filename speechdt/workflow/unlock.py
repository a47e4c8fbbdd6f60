"""Release of a lock that a killed run left: ``python -m speechdt.workflow.unlock``.

Snakemake locks its folder, and a killed Snakemake leaves it locked. The lock goes if the run that
holds it was one of this host and is gone, and no job of the queue works in the folder. In all other
cases it stays, and one line says whose it may be and what to do.
"""

import os
import shutil
import sys
from pathlib import Path

import psutil

from speechdt.workflow.holder import Holder, leave_note, queued_jobs, read_note
from speechdt.workflow.own_folder import LOCKS, OWN, is_locked

BY_HAND = "if it is over, run: snakemake --unlock"


def holders(folder: Path) -> list[int]:
    """Return the processes, other than this one's ancestors, that run Snakemake in the folder."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    pids = []
    for process in psutil.process_iter(["pid", "cwd", "cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        here = process.info["cwd"] == str(folder)
        if here and "snakemake" in command and process.info["pid"] not in own:
            pids.append(process.info["pid"])
    return pids


def objection(folder: Path, holder: Holder | None) -> str:
    """Say why the lock must stay, in one line; '' if it may go."""
    if pids := holders(folder):
        return f"a run is going on in {folder} (process {pids[0]})"
    try:
        # A machine may have a queue that does not run, and this run have nothing to do with it.
        jobs = queued_jobs(folder) if holder is None or holder.queue else []
    except OSError as error:
        return f"{folder} is locked, and {error}, so jobs may be at work; {BY_HAND}"
    if jobs:
        return (
            f"jobs of a run in {folder} are in the queue ({', '.join(jobs[:5])}): wait for them, "
            "or scancel them"
        )
    if holder is None:
        return f"{folder} is locked by a run that left no name; {BY_HAND}"
    if not holder.is_here:
        return (
            f"{folder} is locked by a run on {holder.host} since {holder.since} "
            f"(process {holder.pid}), which cannot be seen from here; {BY_HAND}"
        )
    if holder.is_alive:
        return f"a run is going on in {folder} since {holder.since} (process {holder.pid})"
    return ""


def hold(*, queue: bool = False) -> None:
    """Note whose lock it is; called by a run that has just taken it.

    Parameters
    ----------
    queue : bool
        Whether its jobs go to the queue of a cluster.
    """
    leave_note(OWN, queue=queue)


def main() -> None:
    """Unlock the working directory if nobody is at work there."""
    folder = Path.cwd()
    if not is_locked(folder):
        return
    if why := objection(folder, read_note(folder / OWN)):
        sys.exit(f"error: {why}")
    print("A killed run left this folder locked; unlocking it.", file=sys.stderr)
    # What `snakemake --unlock` does, without its having to read the workflow.
    shutil.rmtree(folder / LOCKS)


if __name__ == "__main__":
    main()
