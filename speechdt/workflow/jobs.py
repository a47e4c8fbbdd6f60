"""Frame of every job: its log, and its errors in one line."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from speechdt.errors import SpeechdtError
from speechdt.workflow.gpu_claim import claim

if not sys.stderr.isatty():
    # Progress bars would fill a file with one line for every step.
    os.environ.setdefault("TQDM_MININTERVAL", "20")


@contextmanager
def logged(log: Path | str, gpus: int = 0) -> Iterator[logging.Logger]:
    """Log the block to a file; end the process with one line if the user can mend the error.

    Parameters
    ----------
    log : path
        Log file of the job, which also gets the traceback of an error that nobody foresaw.
    gpus : int
        GPUs that the job has to itself.
    """
    logging.basicConfig(
        filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s", force=True
    )
    logging.captureWarnings(True)
    try:
        claim(gpus)
        yield logging.getLogger("speechdt")
    except SpeechdtError as error:
        logging.error("%s", error)
        sys.exit(f"error: {error}")
    except Exception as error:
        logging.error("%s", traceback.format_exc())
        sys.exit(f"error: {type(error).__name__}: {error} (traceback in {log})")
