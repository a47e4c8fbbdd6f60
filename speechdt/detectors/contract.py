"""Contract between the workflow and a speech detector."""

from collections.abc import Sequence
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


@runtime_checkable
class Detector(Protocol):
    """A speech detector, built by calling its class with a variant's options.

    Attributes
    ----------
    gpus : int
        GPUs that one job running it claims; a variant's ``gpus:`` overrides it.

    Notes
    -----
    A class may have an attribute ``vendor_threshold``, the threshold on P(speech) that its vendor's
    own tools have by default; ``tables/operating_points.csv`` then says what that gives.
    """

    gpus: int

    def score(self, clips: Sequence[NDArray[np.float32]]) -> ArrayLike:
        """Return P(speech) for each clip.

        Parameters
        ----------
        clips : sequence of float32 arrays, each (samples,)
            Mono audio at 16 kHz in [-1, 1]; lengths may differ.

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


@hookspec
def detectors() -> dict[str, type[Detector]]:  # type: ignore[empty-body]
    """Return the detector classes that this plugin offers, by name."""
