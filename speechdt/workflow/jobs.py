"""Frame of every job: its log, its GPUs, its line in the manifest, and its errors in one line."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from speechdt.errors import SpeechdtError
from speechdt.workflow.devices import claimed
from speechdt.workflow.manifest import Entry


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
        _fail(entry, str(error))
    except Exception as error:
        logging.error("%s", traceback.format_exc())
        _fail(entry, f"{type(error).__name__}: {error} (traceback in {log})")


def _fail(entry: Entry | None, why: str) -> None:
    """End the process with an error, which the manifest keeps for the last line of the run."""
    if entry:
        with suppress(OSError):  # a full disk, say, which is then the error itself
            entry.fail(why)
    sys.exit(f"error: {why}")


def _entry(log: Path, job: Any) -> Entry:
    """Return the manifest's entry of the job whose script this is."""
    wildcards, params = (dict(named.items()) for named in (job.wildcards, job.params))
    return Entry(log, job.rule, wildcards, params, job.output)
