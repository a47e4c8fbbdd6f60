"""The last line of a run that failed or was interrupted: which job, and why.

Snakemake ends with what it knows of a failed job, its files by the hundred; the cause stands
above it. So a job leaves its cause in the manifest, and Snakemake's process says it when it ends; a
job that no such process waits for, as on a node of a cluster, says it itself as well.
"""

import atexit
import os
import sys
import time
from pathlib import Path

from speechdt.workflow.manifest import STOPPED, unfinished, without_a_word

SHOWN = 3
"""Jobs that are named; of more it says how many."""
WATCHES = "SPEECHDT_LAST_LINE"
"""Variable of the environment: the process that says at its end what went wrong."""
_over = False


def watch(folder: Path) -> None:
    """Say at the end of this process what went wrong, unless :func:`well` is called before.

    Parameters
    ----------
    folder : Path
        The manifest.
    """
    os.environ[WATCHES] = str(os.getpid())
    atexit.register(_say, folder, time.time())


def said_at_the_end() -> bool:
    """Say whether this process was started by one that says at its end what went wrong."""
    watching = os.environ.get(WATCHES, "")
    if not watching:
        return False
    import psutil  # here, since only a job that fails asks

    return any(str(process.pid) == watching for process in psutil.Process().parents())


def well() -> None:
    """Say nothing at the end: the run has ended well."""
    global _over
    _over = True


def cause(folder: Path, since: float) -> str:
    """Return in one line why jobs did not end that began since a time; '' if all did."""
    failed: list[str] = []
    stopped: list[str] = []
    for _, entry in unfinished(folder, since):
        job = " ".join([entry["rule"], *entry["wildcards"].values()])
        error = entry.get("error")
        if error == STOPPED:
            stopped.append(job)
        elif error:
            failed.append(f"{job}: {error}")
    failed += without_a_word(folder, since)
    if failed:
        return f"error: {_some(failed, '; ')}"
    if stopped:
        return f"stopped while at work on {_some(stopped, ', ')}; run again to go on"
    return ""


def _some(named: list[str], between: str) -> str:
    more = len(named) - SHOWN
    return between.join(named[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _say(folder: Path, since: float) -> None:
    if not _over and (line := cause(folder, since)):
        print(line, file=sys.stderr)
