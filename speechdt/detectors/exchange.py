"""Messages between this process and a detector in another environment.

A message is four bytes, the length of its header, big end first; the header, a JSON object in
UTF-8; and as many bytes of numbers as the header's ``bytes`` says. No message holds code or
pickles.

================ ============================================================ ======================
from             header                                                       numbers
================ ============================================================ ======================
detector, first  ``{"protocol": 1}``                                          none
workflow         ``{"build": {"folder": …, "backend": …, "options": {…}}}``   none
detector         ``{"built": true}``, or ``{"error": "one line"}``            none
workflow         ``{"clips": [samples, …]}``                                  float32, little end
detector         ``{"scores": count}``, or ``{"error": "one line"}``          float64, little end
================ ============================================================ ======================

The last two come again and again; the detector ends when its input does.
"""

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

PROTOCOL = 1
"""Raised whenever a message means something else than before."""
CLIPS, SCORES = np.dtype("<f4"), np.dtype("<f8")
MOST_BYTES = 1_000_000
"""Of a header from a detector."""
MOST_NUMBERS = 1 << 26
"""Bytes of numbers that a detector may answer with: 8 million scores."""
_LENGTH = struct.Struct(">I")

Read = Callable[[int], bytes]
"""Returns exactly so many bytes, or raises an EOFError."""


def packed(header: Mapping[str, Any], numbers: bytes = b"") -> bytes:
    """Return a message."""
    head = json.dumps(dict(header) | {"bytes": len(numbers)}).encode()
    return _LENGTH.pack(len(head)) + head + numbers


def received(read: Read, most: int | None = None) -> tuple[dict[str, Any], bytes]:
    """Return header and numbers of the next message.

    Parameters
    ----------
    read : callable
    most : int, optional
        Bytes of numbers that may come, from a detector; without it, whoever sends is trusted.

    Raises
    ------
    EOFError
        If there is none any more.
    ValueError
        If what comes is no message, or longer than it may be.
    """
    length = _LENGTH.unpack(read(_LENGTH.size))[0]
    if most is not None and length > MOST_BYTES:
        raise ValueError("no message")
    try:
        header = json.loads(read(length))
    except RecursionError:
        raise ValueError("no message") from None
    count = header.get("bytes", 0) if isinstance(header, dict) else None
    if not isinstance(count, int) or count < 0 or (most is not None and count > most):
        raise ValueError("no message")
    return header, read(count)


def as_array(numbers: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    """Return numbers as an array of this machine's own kind."""
    return np.frombuffer(numbers, kind).astype(kind.newbyteorder("="))
