"""A detector in an environment of its own: ``PYTHON -m speechdt.detectors.worker``.

It is started by `speechdt.detectors.isolated` and speaks the protocol of
`speechdt.detectors.exchange` on standard input and output; what the detector prints goes to
standard error. It needs numpy and pluggy, and what the plugin imports.
"""

import os
import sys
from typing import Any, BinaryIO

import numpy as np

from speechdt.detectors.exchange import CLIPS, PROTOCOL, SCORES, as_array, packed, received
from speechdt.detectors.plugins import find_detectors


def serve(given: BinaryIO, answers: BinaryIO) -> None:
    """Answer messages until there are no more."""

    def read(count: int) -> bytes:
        chunk = given.read(count)
        if len(chunk) < count:
            raise EOFError
        return chunk

    def say(header: dict[str, Any], numbers: bytes = b"") -> None:
        answers.write(packed(header, numbers))
        answers.flush()

    say({"protocol": PROTOCOL})
    detector: Any = None
    while True:
        try:
            header, numbers = received(read)
        except EOFError:
            return
        try:
            if "build" in header:
                detector = _built(**header["build"])
                say({"built": True})
            else:
                scores = np.asarray(detector.score(_clips(header["clips"], numbers)), SCORES)
                say({"scores": len(scores)}, scores.tobytes())
        except (Exception, SystemExit) as error:
            reason = (str(error).splitlines() or [""])[0]
            say({"error": f"{type(error).__name__}: {reason}"})


def _built(folder: str, backend: str, options: dict[str, Any]) -> Any:
    detectors = find_detectors(folder)
    if backend not in detectors:
        raise LookupError(f"no detector '{backend}' there")
    return detectors[backend](**options)


def _clips(samples: list[int], numbers: bytes) -> list[Any]:
    ends = np.cumsum(samples, dtype=int)
    return np.split(as_array(numbers, CLIPS), ends[:-1]) if samples else []


if __name__ == "__main__":
    # What a detector prints must not stand among the answers.
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, own)
