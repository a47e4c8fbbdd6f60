"""One call of a detector, with its answers checked."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speechdt import checksums
from speechdt.code_hash import code_hash, imported_versions
from speechdt.detectors.containment import ScoreError as ScoreError
from speechdt.detectors.containment import contained, numbers, read_only
from speechdt.detectors.contract import Detector
from speechdt.detectors.isolated import KEY, Isolated
from speechdt.detectors.plugins import source_files
from speechdt.errors import SpeechdtError
from speechdt.files import content_hash


class BuildError(SpeechdtError):
    """A detector cannot be built; the message is one line naming it."""


def built(name: str, cls: type[Detector], options: Mapping[str, Any]) -> Detector:
    """Return the detector of a backend under its options.

    Raises
    ------
    BuildError
        Whatever the class raises: what it needs shows in some only here.
    """
    try:
        check_whole(options)
        with contained(f"backend '{name}'", "fails when it is built"):
            return Isolated(name, cls, options) if KEY in options else cls(**options)
    except ScoreError as error:
        raise BuildError(str(error)) from error.__cause__
    except SpeechdtError as error:
        raise BuildError(f"backend '{name}': {error}") from error


def became(detector: Any, name: str, options: Mapping[str, Any]) -> bool:
    """Let a detector become what its class would be under other options; say whether it could.

    Raises
    ------
    BuildError
        As :func:`built`.
    """
    try:
        check_whole(options)
        with contained(f"backend '{name}'", "fails when it is built"):
            return bool(detector.become(**options))
    except ScoreError as error:
        raise BuildError(str(error)) from error.__cause__
    except SpeechdtError as error:
        raise BuildError(f"backend '{name}': {error}") from error


def check_whole(options: Mapping[str, Any]) -> None:
    """Raise `checksums.Damaged` if a folder that options name is not as it was written here."""
    for value in options.values():
        if isinstance(value, str) and os.path.lexists(value):
            checksums.check(value)


def store_name(name: str, cls: type[Detector], options: Mapping[str, Any]) -> str:
    """Return the file name of the store for a detector under these options, source and versions."""
    identity = {
        "options": {
            key: content(value)
            for key, value in options.items()
            if key not in getattr(cls, "incidental", ())
        },
        **running(cls),
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode())
    return f"{name}-{digest.hexdigest()[:16]}.sqlite"


@cache
def running(cls: type[Detector]) -> dict[str, Any]:
    """Return the source and versions that a class runs: those of when it was first asked for."""
    files = source_files(cls)
    return {"code": code_hash(*files), "versions": imported_versions(files)}


def content(value: Any) -> Any:
    """Return an option, or the hash of the file or folder (a model, say) that it names."""
    return content_hash(Path(value)) if isinstance(value, str) and os.path.exists(value) else value


def ask(
    detector: Detector, clips: Sequence[NDArray[np.float32]], names: Sequence[str], who: str
) -> NDArray[np.float64]:
    """Return a detector's scores, float64 (clips,), or raise `ScoreError` if they are none.

    Parameters
    ----------
    detector : Detector
    clips : sequence of float32 arrays
    names : sequence of str
        Of the clips.
    who : str
        What an error calls the detector.
    """
    with contained(who):
        answered = detector.score(read_only(clips))
        scores = numbers(answered, who)
    if scores.shape != (len(clips),):
        count = len(scores) if scores.ndim == 1 else f"an array of shape {scores.shape} as"
        raise ScoreError(f"{who} answered {count} scores to {len(clips)} clips")
    wrong = ~((scores >= 0) & (scores <= 1))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ScoreError(f"{who} gives clip {names[first]} a P(speech) of {scores[first]}")
    return scores
