"""Presentation layer between stored clips and a detector: options, level and container.

Scoring, choices on dev, prompt searches, hygiene, order bias and latency all build their detectors
here, so that no plugin has to know of levels and containers.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from speechdt.audio import presentation as presentation_module
from speechdt.audio.presentation import AS_STORED, Presentation
from speechdt.code_hash import code_hash
from speechdt.detectors import call
from speechdt.detectors.containment import read_only
from speechdt.detectors.contract import Detector
from speechdt.detectors.stages import stage

Built = Callable[[str, type[Detector], Mapping[str, Any]], Any]
"""From a backend, its class and options to the detector: `call.built`, or that of a shared base."""

ASKED_ABOUT_CLIPS = ("score", "score_prompts", "log_odds", "answer_mass")
"""Methods of a detector whose first argument is the clips."""


class Presented:
    """A detector that hears clips by a presentation; all else of it is its own.

    Parameters
    ----------
    detector : Detector
    presentation : Presentation

    Attributes
    ----------
    of : Detector
        The detector itself.
    """

    def __init__(self, detector: Detector, presentation: Presentation):
        self.of, self._presentation = detector, presentation

    @property
    def gpus(self) -> int:
        """GPUs that the detector claims."""
        return self.of.gpus

    def score(self, clips: Sequence[NDArray[np.float32]]) -> Any:
        """Return what the detector says of the clips as it hears them."""
        return self.of.score(read_only(self._presented(clips)))

    def __getattr__(self, name: str) -> Any:
        own = getattr(self.of, name)
        if name not in ASKED_ABOUT_CLIPS:
            return own

        def asked(clips: Sequence[NDArray[np.float32]], *rest: Any, **more: Any) -> Any:
            return own(read_only(self._presented(clips)), *rest, **more)

        return asked

    def _presented(self, clips: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        with stage("present"):
            return [self._presentation(clip) for clip in clips]


def presented(detector: Any, presentation: Presentation) -> Any:
    """Return a detector that hears by a presentation; itself, if that leaves clips as they are."""
    return detector if presentation.plain else Presented(detector, presentation)


@dataclass(frozen=True)
class Hearing:
    """A detector under its options, and how it hears.

    Attributes
    ----------
    backend : str
    cls : type
    options : mapping
        Keyword arguments of the class.
    presentation : Presentation
    """

    backend: str
    cls: type[Detector]
    options: Mapping[str, Any]
    presentation: Presentation = AS_STORED

    def build(self, built: Built = call.built) -> Any:
        """Return the detector."""
        return presented(built(self.backend, self.cls, self.options), self.presentation)

    def store_name(self, *without: str) -> str:
        """Return the file name of what is kept of its answers, some options left out.

        Scores under another level or container are others, as under other options. Those of plain
        clips have the name that `speechdt.detectors.call.store_name` gives them.
        """
        own = {name: value for name, value in self.options.items() if name not in without}
        name = call.store_name(self.backend, self.cls, own)
        if self.presentation.plain:
            return name
        text = json.dumps(self.presentation.to_dict(), sort_keys=True)
        code = code_hash(Path(presentation_module.__file__))
        digest = hashlib.sha256(f"{name} {text} {code}".encode()).hexdigest()
        return f"{self.backend}-{digest[:16]}.sqlite"

    def under(self, chosen: Mapping[str, Any]) -> Self:
        """Return the detector under an alternative: ``level``, ``container`` and ``options``."""
        presentation = Presentation.of(chosen["level"], chosen["container"])
        options = dict(self.options) | dict(chosen["options"])
        return replace(self, options=options, presentation=presentation)

    @classmethod
    def of_run(
        cls,
        backend: str,
        detector: type[Detector],
        options: Mapping[str, Any],
        presentation: Mapping[str, Any],
        choice: Sequence[Path | str] = (),
    ) -> Self:
        """Return how a run hears: as configured or, where dev chose, as chosen.

        Parameters
        ----------
        backend : str
        detector : type
        options : mapping
        presentation : mapping
            ``level`` and ``container``, as configured.
        choice : sequence of paths
            ``choices/{run}.json``, or none.
        """
        hearing = cls(backend, detector, options, Presentation.of(**presentation))
        for path in choice:
            hearing = hearing.under(json.loads(Path(path).read_text())["chosen"])
        return hearing


class OneDetector:
    """A detector that is built once, if at all, however it then hears.

    Parameters
    ----------
    hearing : Hearing
    built : callable
        What builds it.
    """

    def __init__(self, hearing: Hearing, built: Built = call.built):
        self.hearing, self._build = hearing, built
        self._built: Any = None

    def heard_at(self, level: float | None) -> Hearing:
        """Return the detector at another level (None: as stored), in the same container."""
        presentation = replace(self.hearing.presentation, level=level)
        return replace(self.hearing, presentation=presentation)

    def builder(self, presentation: Presentation) -> Callable[[], Any]:
        """Return what gives the detector, hearing by a presentation."""

        def build() -> Any:
            if self._built is None:
                own = self.hearing
                self._built = self._build(own.backend, own.cls, own.options)
            return presented(self._built, presentation)

        return build
