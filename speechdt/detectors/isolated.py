"""Detectors in environments of their own: other packages, other versions of them.

A variant says ``environment:``, a Python or the folder of a virtual or conda environment. Its
detector is then built and asked in a process of that Python (`speechdt.detectors.worker`).
"""

import json
import os
import select
import subprocess
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from speechdt.code_hash import imported_roots
from speechdt.detectors.contract import Detector
from speechdt.detectors.exchange import (
    CLIPS,
    MOST_NUMBERS,
    PROTOCOL,
    SCORES,
    as_array,
    packed,
    received,
)
from speechdt.detectors.plugins import BACKENDS, folder_of, source_files
from speechdt.errors import SpeechdtError

KEY = "environment"
"""Key of a variant, and of the options that its jobs get."""
START_S = 120.0
"""How long a Python may take to start, unless the variant says ``start_s``."""
LIBRARY = Path(__file__).resolve().parents[2]
CALL = [*["-m", "speechdt.detectors.worker"]]
_VERSIONS = """
import importlib.metadata as m, json, platform, sys
packages = m.packages_distributions() if hasattr(m, "packages_distributions") else {}
names = {p for root in sys.argv[1:] for p in packages.get(root, [])}
print(json.dumps({"python": platform.python_version(), **{n: m.version(n) for n in sorted(names)}}))
"""


class UnusableEnvironment(SpeechdtError):
    """A detector's environment is unusable; the message is one line naming it."""


def resolved(environment: Any, cls: type) -> dict[str, Any]:
    """Return what a variant says of its environment, checked, with versions of what is imported.

    Parameters
    ----------
    environment : str or mapping
        The folder of an environment, or ``python`` and perhaps ``start_s``.
    cls : type
        The detector's class.

    Raises
    ------
    SpeechdtError
        If there is no such Python, it does not start, or the detector cannot be isolated.
    """
    asked = dict(environment) if isinstance(environment, Mapping) else {"python": environment}
    unknown = sorted(set(asked) - {"python", "start_s"})
    if unknown or not isinstance(asked.get("python"), str):
        raise UnusableEnvironment(
            f"{KEY}: {f'no key {unknown[0]!r}' if unknown else 'python is missing'}; "
            f"it is a folder, or {{python: …, start_s: …}}"
        )
    if hasattr(cls, "score_prompts"):
        raise UnusableEnvironment(f"{KEY}: a language model runs in the workflow's own")
    python = _python(asked["python"])
    start = float(asked.get("start_s", START_S))
    versions = _versions(python, tuple(sorted(imported_roots(source_files(cls)))), start)
    return {"python": python, "start_s": start, "versions": versions}


def _python(named: str) -> str:
    path = Path(os.path.abspath(os.path.expanduser(named)))
    executable = path / "bin" / "python" if path.is_dir() else path
    if not os.access(executable, os.X_OK):
        raise UnusableEnvironment(f"{KEY}: {executable} is no Python that can be started")
    return str(executable)


@lru_cache
def _versions(python: str, roots: Sequence[str], start: float) -> dict[str, str]:
    """Ask a Python for its version and those of the packages that give some imports."""
    try:
        done = subprocess.run(
            [python, "-c", _VERSIONS, *roots],
            capture_output=True,
            text=True,
            timeout=start,
            check=True,
        )
        return dict(json.loads(done.stdout))
    except subprocess.TimeoutExpired as error:
        raise UnusableEnvironment(f"{KEY}: {python} has not started in {start:g} s") from error
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise UnusableEnvironment(f"{KEY}: {python} does not start: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    message = getattr(error, "stderr", "") or str(error)
    return (message.strip().splitlines() or [""])[-1]


class Isolated:
    """A detector that is asked in a process of another Python.

    Parameters
    ----------
    backend : str
    cls : type
    options : mapping
        What the detector is built with, and `KEY`: from :func:`resolved`.

    Raises
    ------
    SpeechdtError
        If the process does not start in time, speaks another protocol, or ends before it has
        answered, or the detector cannot be built.
    """

    elsewhere = True
    """The time that processors are at work for it is not that of this process."""

    def __init__(self, backend: str, cls: type[Detector], options: Mapping[str, Any]):
        own = dict(options)
        environment = own.pop(KEY)
        self.gpus = cls.gpus
        self._python = environment["python"]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (as long as this)
        self._process = subprocess.Popen(
            [self._python, *CALL],
            env=os.environ | {"PYTHONPATH": str(LIBRARY)},  # and nothing of this environment
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        weakref.finalize(self, _end, self._process)
        limit = environment["start_s"]
        hello, _ = self._receive(limit)
        if hello.get("protocol") != PROTOCOL:
            _end(self._process)
            self._fail(f"speaks protocol {hello.get('protocol')}, and not {PROTOCOL}")
        folder = str(folder_of(cls) or BACKENDS)
        self._ask({"build": {"folder": folder, "backend": backend, "options": own}})

    def score(self, clips: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Return what the detector says of the clips, float64 (clips,)."""
        numbers = b"".join(np.asarray(clip, CLIPS).tobytes() for clip in clips)
        return as_array(self._ask({"clips": [len(clip) for clip in clips]}, numbers), SCORES)

    def _ask(self, header: Mapping[str, Any], numbers: bytes = b"") -> bytes:
        stream: Any = self._process.stdin
        try:
            stream.write(packed(header, numbers))
            stream.flush()
        except OSError:
            self._fail(self._ended())
        answer, payload = self._receive(None)
        if "error" in answer:
            self._fail(str(answer["error"]))
        return payload

    def _receive(self, limit: float | None) -> tuple[dict[str, Any], bytes]:
        end = None if limit is None else time.monotonic() + limit
        try:
            return received(lambda count: self._read(count, end), MOST_NUMBERS)
        except TimeoutError:
            _end(self._process)
            self._fail(f"has not started in {limit:g} s")
        except EOFError:
            self._fail(self._ended())
        except ValueError:
            _end(self._process)
            self._fail("answers with what is no message")

    def _read(self, count: int, end: float | None) -> bytes:
        stream: Any = self._process.stdout
        buffer = b""
        while len(buffer) < count:
            left = None if end is None else max(end - time.monotonic(), 0)
            if not select.select([stream], [], [], left)[0]:
                raise TimeoutError
            more = os.read(stream.fileno(), count - len(buffer))
            if not more:
                raise EOFError
            buffer += more
        return buffer

    def _ended(self) -> str:
        """Say how the process ended, with the last line that it printed."""
        code = self._process.wait()
        if code < 0:
            return f"was killed by signal {-code}"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"ended with status {code}" + (f": {lines[-1]}" if lines else "")

    def _fail(self, why: str) -> NoReturn:
        raise UnusableEnvironment(f"its process of {self._python} {why}")


def without_environment(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the class itself takes."""
    return {name: value for name, value in options.items() if name != KEY}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process; one that has ended is left alone."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.kill()
    process.wait()
