"""Containment of plugin calls: output logged, one-line errors, read-only clips, checked answers."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speechdt.errors import SpeechdtError

MUCH = 2**20
"""Bytes that a plugin may print before that is said."""
LONGEST = 300
"""Letters of a cause; the log has the rest."""
_printed: set[str] = set()


class ScoreError(SpeechdtError):
    """A detector breaks its contract; the message is one line naming it."""


def cause(error: BaseException) -> str:
    """Return what an exception says in one line, with its kind."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    line = f"{type(error).__name__}: {lines[0].strip() if lines else ''}"
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"


@contextmanager
def contained(who: str, fails: str = "fails") -> Iterator[None]:
    """Call a plugin: what it prints goes to the log, and the working directory is what it was.

    Parameters
    ----------
    who : str
        What an error calls the plugin.
    fails : str
        What an error says of it.

    Raises
    ------
    ScoreError
        Whatever it raises that is no line of its own.
    """
    folder = os.getcwd()
    try:
        with _printing_to_log(who):
            yield
    except SpeechdtError:
        raise
    except BrokenProcessPool as error:
        raise ScoreError(
            f"{who} {fails}: one of its processes was killed, probably out of memory"
        ) from error
    except MemoryError as error:
        raise ScoreError(f"{who} {fails}: memory runs out") from error
    except (Exception, SystemExit) as error:
        raise ScoreError(f"{who} {fails}: {cause(error)}") from error
    finally:
        moved = True
        with suppress(OSError):
            moved = os.getcwd() != folder
        if moved:
            os.chdir(folder)
            _say(f"{who} changes the working directory, and was put back into {folder}")


def _say(line: str) -> None:
    """Say a line, once a process."""
    if line not in _printed:
        _printed.add(line)
        logging.getLogger("speechdt").warning(line)
        print(f"warning: {line}", file=sys.stderr, flush=True)


@contextmanager
def _printing_to_log(who: str) -> Iterator[None]:
    """Send what the process and its children print to the log of the job, if it has one."""
    handlers = logging.getLogger().handlers
    log = next((one for one in handlers if isinstance(one, logging.FileHandler)), None)
    if log is None or log.stream is None:
        yield
        return
    # Whatever was printed before belongs where it was printed to.
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    before = os.fstat(log.stream.fileno()).st_size
    with ExitStack() as stack:
        for descriptor in (1, 2):
            kept = os.dup(descriptor)
            # Of the handler's own file, so that lines of both follow each other.
            os.dup2(log.stream.fileno(), descriptor)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, descriptor)
        stack.callback(_flush)
        yield
    printed = os.fstat(log.stream.fileno()).st_size - before
    if printed > MUCH:
        _say(
            f"{who} prints a lot (more than {MUCH // 2**20} MiB at a time): see {log.baseFilename}"
        )


def _flush() -> None:
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()


def read_only(clips: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], ...]:
    """Return clips that nobody can write to, empty or put in another order."""
    kept = []
    for clip in clips:
        view = clip.view()
        view.flags.writeable = False
        kept.append(view)
    return tuple(kept)


def numbers(answered: Any, who: str) -> NDArray[np.float64]:
    """Return scores as float64 of any shape.

    Raises
    ------
    ScoreError
        If they are no numbers, or numbers that say less than P(speech): decisions (bool), complex,
        masked or of 16 bits.
    """
    if isinstance(answered, np.ma.MaskedArray):
        raise ScoreError(f"{who} answered with a masked array: a score of each clip is needed")
    try:
        given = np.asarray(answered)
        kind: str = given.dtype.kind
        if kind == "O":
            kind = _kind_of_elements(given)
        if kind == "N":
            raise TypeError("None is among them")
        if kind in _REFUSED:
            raise ScoreError(f"{who} answered with {_REFUSED[kind]}, not with P(speech)")
        if kind == "f" and given.dtype.itemsize < 4:
            raise ScoreError(
                f"{who} answered in {given.dtype}, which tells scores apart to three digits: "
                "give float32 or float64"
            )
        return given.astype(np.float64)
    except SpeechdtError:
        raise
    except Exception as error:  # whatever its classes raise when they are read
        raise ScoreError(
            f"{who} answered with something other than numbers: {cause(error)}"
        ) from error


_REFUSED = {
    "b": "decisions (bool)", "U": "text", "S": "text", "c": "complex numbers",
    "M": "dates", "m": "durations", "V": "records",
}  # fmt: skip
"""Kinds of arrays that NumPy would turn into numbers all the same."""


def _kind_of_elements(given: NDArray[Any]) -> str:
    for element in given.ravel():
        if element is None:
            return "N"
        kind = np.asarray(element).dtype.kind
        if kind in _REFUSED:
            return kind
    return "O"
