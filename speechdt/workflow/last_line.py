"""The last line of a run that failed or was interrupted: which job, and why.

Snakemake ends with what it knows of a failed job, its files by the hundred; the cause stands
above it. What a job left in the manifest is said again when the process ends.
"""

import atexit
import sys
import time
from pathlib import Path

from speechdt.workflow.manifest import STOPPED, unfinished, without_a_word

SHOWN = 3
"""Jobs that are named; of more it says how many."""
_over = False


def watch(folder: Path) -> None:
    """Say at the end of this process what went wrong, unless :func:`well` is called before.

    Parameters
    ----------
    folder : Path
        The manifest.
    """
    atexit.register(_say, folder, time.time())


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
