"""Frame of every job: its log, its GPUs, its line in the manifest, and its errors in one line."""

import gc
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from speechdt.checksums import AGAIN, Damaged
from speechdt.errors import SpeechdtError
from speechdt.workflow.damaged_outputs import set_aside_damaged
from speechdt.workflow.devices import claimed
from speechdt.workflow.last_line import said_at_the_end
from speechdt.workflow.manifest import STOPPED, Entry, few, killed, manifest_of


@contextmanager
def logged(log: Path | str) -> Iterator[logging.Logger]:
    """Log the block to a file; end the process with one line if the user can mend the error.

    In the script of a rule, the block has the GPUs that its rule claims, and the results'
    manifest says whether the job has ended, and with which parameters.

    Parameters
    ----------
    log : path
        Log file of the job, which also gets the traceback of an error that nobody foresaw.
    """
    logging.basicConfig(
        filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s", force=True
    )
    logging.captureWarnings(True)
    logger = logging.getLogger("speechdt")
    job = getattr(sys.modules["__main__"], "snakemake", None)
    entry = _entry(Path(log), job) if job else None
    try:
        with claimed(job.resources.get("gpu", 0) if job else 0) as gpus:
            if gpus:
                node = os.environ.get("SLURMD_NODENAME", "this machine")
                logger.info("GPU %s of %s", ", ".join(gpus), node)
            if entry:
                entry.begin()
            yield logger
            if entry:
                entry.end()
    except SpeechdtError as error:
        logging.error("%s", error, exc_info=error.__cause__)
        _fail(entry, _cause(error, str(error), log, job), job)
    except BrokenProcessPool:
        logging.error("%s", traceback.format_exc())
        _fail(entry, f"a process of the job was {killed(memory_of(job))}", job)
    except Exception as error:
        logging.error("%s", traceback.format_exc())
        why = f"{first_line(error)} (traceback in {log})"
        _fail(entry, _cause(error, why, log, job), job)
    except BaseException:
        if entry:
            entry.fail(STOPPED)
        raise
    else:
        if job:
            # Python would look through all that was imported before it ends: 0.2 s for pandas, 1 s
            # for transformers.
            gc.freeze()
            _end_in_time(0)


LONGEST = 300
"""Letters of a cause; the log has the rest."""
GRACE_S = 30
"""How long threads that a plugin has left may keep a finished job from ending."""


def first_line(error: BaseException) -> str:
    """Return an exception in one line that is not too long."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    line = f"{type(error).__name__}: {lines[0].strip() if lines else ''}"
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"


def _cause(error: Exception, why: str, log: Path | str, job: Any) -> str:
    """Return why a job has failed: over damage, if there is any; all of it is set aside at once."""
    if job is None:
        return why
    sure = _over_damage(error)
    lines = set_aside_damaged(manifest_of(log), job.input, sure=sure)
    for line in lines:
        logging.error("%s", line)
    cause = why if sure or not lines else lines.pop(0) + AGAIN
    for line in few(lines):
        print(line, file=sys.stderr, flush=True)
    return cause


def _over_damage(error: BaseException | None) -> bool:
    """Say whether a job has failed over damage, as far as its error tells."""
    while error is not None and not isinstance(error, Damaged):
        error = error.__cause__
    return error is not None


def memory_of(job: Any) -> int | None:
    """Return the MiB of memory that a job asked for."""
    return job.resources.get("mem_mb") if job else None


def _fail(entry: Entry | None, why: str, job: Any) -> None:
    """End the process, and leave the cause for the last line of the run, or say it here."""
    left = False
    if entry:
        with suppress(OSError):  # a full disk, say, which is then the error itself
            entry.fail(why)
            left = True
    if job:
        _end_in_time(1)
    sys.exit(1 if left and said_at_the_end() else f"error: {why}")


def _end_in_time(code: int) -> None:
    """See to it that the process ends although threads may be left that never do."""
    others = [
        thread.name
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.daemon
    ]
    if not others:
        return

    def end() -> None:
        time.sleep(GRACE_S)
        line = f"{len(others)} threads are left and never end ({others[0]}): the job ends anyway"
        logging.warning(line)
        print(f"warning: {line}", file=sys.stderr, flush=True)
        logging.shutdown()
        os._exit(code)

    threading.Thread(target=end, daemon=True).start()


def _entry(log: Path, job: Any) -> Entry:
    """Return the manifest's entry of the job whose script this is."""
    wildcards, params = (dict(named.items()) for named in (job.wildcards, job.params))
    return Entry(log, job.rule, wildcards, params, job.output, memory_of(job))
