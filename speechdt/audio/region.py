"""Region of a recording, named in the notation of W3C Media Fragments."""

import re
from math import inf

_REGION = re.compile(r"(.*)#t=(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?", re.DOTALL)


def region(path: str, start_s: float, stop_s: float = inf) -> str:
    """Name a region of a recording, in the notation of W3C Media Fragments 1.0 (section 4.2.1)."""
    stop = "" if stop_s == inf else f",{stop_s:.3f}"
    return f"{path}#t={start_s:.3f}{stop}"


def file_and_times(path: str) -> tuple[str, tuple[float, float] | None]:
    """Return the file of a source, and from when to when it is read, in seconds: None if whole.

    The inverse of :func:`region`; without an end it is read to its own (`math.inf`).
    """
    match = _REGION.fullmatch(path)
    return (match[1], (float(match[2]), float(match[3] or inf))) if match else (path, None)
