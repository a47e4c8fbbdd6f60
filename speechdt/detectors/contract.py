"""Contract between the workflow and a speech detector."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import pluggy
from numpy.typing import ArrayLike, NDArray

from speechdt.errors import SpeechdtError

hookspec = pluggy.HookspecMarker("speechdt")
hookimpl = pluggy.HookimplMarker("speechdt")


class PluginError(SpeechdtError):
    """A plugin or a variant's options are unusable; the message is one line naming which."""


class Unfinished(SpeechdtError):
    """A detector stopped before it had answered all; what it has answered is kept.

    Parameters
    ----------
    reason : str
        One line.
    scores : array_like
        As it would have returned them, NaN where there is no answer.
    """

    def __init__(self, reason: str, scores: ArrayLike):
        super().__init__(reason)
        self.scores: NDArray[np.float64] = np.asarray(scores, dtype=np.float64)


@runtime_checkable
class Detector(Protocol):
    """A speech detector, built by calling its class with a variant's options.

    Attributes
    ----------
    gpus : int
        GPUs that one job running it claims; a variant's ``gpus:`` overrides it.

    Others are optional. ``shortest_ms`` is the duration of the shortest clip that it can hear: a
    number, or a function of its options; a grid with shorter ones is refused before any job.
    ``takes_int16 = True`` says that samples become 16-bit numbers, so that
    what exceeds full scale is clipped: levels at which that happens are not offered.
    ``own_level`` says whether dev chooses at which level it hears, where the configuration does not
    (:func:`hears_at_own_level`). ``vendor_threshold`` is the threshold on P(speech) that the
    vendor's own tools have by default; ``tables/operating_points.csv`` then says what that gives.
    """

    gpus: int

    def score(self, clips: Sequence[NDArray[np.float32]]) -> ArrayLike:
        """Return P(speech) for each clip.

        Parameters
        ----------
        clips : sequence of float32 arrays, each (samples,)
            Mono audio at 16 kHz; lengths may differ. As stored it lies in [-1, 1]; at another
            level peaks may exceed that.

        Returns
        -------
        array_like of float64, (clips,)
            P(speech) in [0, 1], in the order of `clips`.
        """


class Prompted(Detector, Protocol):
    """A detector that can be asked in words: what a prompt search optimises."""

    def score_prompts(
        self, clips: Sequence[NDArray[np.float32]], prompts: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return P(speech) for each prompt and clip, (prompts, clips)."""


class FineTunable(Detector, Protocol):
    """A detector that can be trained: what an adapter is made of.

    Attributes
    ----------
    FineTuning : type
        Called with the settings of :meth:`finetune`, it raises a ValueError if one cannot be.
    """

    FineTuning: ClassVar[type]

    @classmethod
    def finetune(
        cls, train: Sequence[Path], dev: Sequence[Path], out: Path, **settings: Any
    ) -> None:
        """Train on the cell files `train`, choose on `dev`, write the adapter to `out`."""


def shortest_ms(cls: type, options: Mapping[str, Any]) -> float:
    """Return the duration of the shortest clip that a detector can hear in ms, 0 if any."""
    shortest = getattr(cls, "shortest_ms", 0.0)
    return float(shortest(**options) if callable(shortest) else shortest)


def hears_at_own_level(cls: type) -> bool:
    """Say whether dev chooses the level of a detector where the configuration names none.

    That is so of all but those that are asked in words or can be trained: language models, and what
    learned the level of the trials. A class says otherwise by its attribute ``own_level``.
    """
    asked = hasattr(cls, "score_prompts") or hasattr(cls, "FineTuning")
    return bool(getattr(cls, "own_level", not asked))


@hookspec
def detectors() -> dict[str, type[Detector]]:  # type: ignore[empty-body]
    """Return the detector classes that this plugin offers, by name."""
