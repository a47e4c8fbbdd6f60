"""Answers to a question in both orders of its options, kept so that none is asked for twice."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speechdt.arrays import Floats
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.contract import Unfinished
from speechdt.prompts.answer_options import swap_options
from speechdt.store import Store

Ask = Callable[[list[NDArray[np.float32]]], ArrayLike]

AS_IT_IS, EXCHANGED, MASS = b"as it is", b"exchanged", b"mass"
"""What is kept of a clip, by the beginning of its key."""


class OrderAnswers:
    """Log-odds and answer mass of one detector, each kept as soon as it is there.

    What a killed job or a server that went away has answered is not asked for again: no clip, and
    of a clip not the order that is known.

    Parameters
    ----------
    detector
        Has ``prompt``, ``log_odds`` and perhaps ``answer_mass``.
    store : Store
        Belongs to this detector under its options.
    """

    def __init__(self, detector: Any, store: Store):
        self._detector, self._store = detector, store

    def log_odds(self, clips: Sequence[bytes]) -> Floats:
        """Return the log-odds of SPEECH, (2, clips): options as they are, and exchanged.

        Parameters
        ----------
        clips : sequence of bytes
            FLAC.

        Raises
        ------
        Unfinished
            If the detector stops before it has answered all.
        """
        lacks_first, lacks_second = (
            np.isnan(self._known(kind, clips)) for kind in (AS_IT_IS, EXCHANGED)
        )
        ask = self._detector.log_odds
        self._ask(ask, (AS_IT_IS, EXCHANGED), clips, lacks_first & lacks_second)
        self._ask(lambda heard: ask(heard, both=False), (AS_IT_IS,), clips,
                  lacks_first & ~lacks_second)  # fmt: skip
        self._ask(self._ask_exchanged, (EXCHANGED,), clips, lacks_second & ~lacks_first)
        return np.stack([self._known(kind, clips) for kind in (AS_IT_IS, EXCHANGED)])

    def answer_mass(self, clips: Sequence[bytes]) -> Floats:
        """Return P(A) + P(B) of FLAC clips, (clips,)."""
        lacking = np.isnan(self._known(MASS, clips))
        self._ask(self._detector.answer_mass, (MASS,), clips, lacking)
        return self._known(MASS, clips)

    def _ask_exchanged(self, heard: list[NDArray[np.float32]]) -> ArrayLike:
        """Ask in the second order alone: a question by itself, whose option A is the other."""
        exchanged = [swap_options(self._detector.prompt)]
        try:
            return -np.asarray(self._detector.log_odds(heard, exchanged, both=False))
        except Unfinished as error:
            raise Unfinished(str(error), -error.scores) from None

    def _known(self, kind: bytes, clips: Sequence[bytes]) -> Floats:
        """Return what is kept of clips, NaN for nothing."""
        keys = [_key(kind, clip) for clip in clips]
        known = self._store.get(keys)
        return np.array([known.get(key, np.nan) for key in keys], dtype=np.float64)

    def _ask(
        self, ask: Ask, kinds: Sequence[bytes], clips: Sequence[bytes], which: NDArray[np.bool_]
    ) -> None:
        """Ask about some of the clips, and keep what comes, (kinds, …, clips), but for NaN."""
        some = [clip for clip, asked in zip(clips, which, strict=True) if asked]
        if not some:
            return
        try:
            self._keep(ask([from_flac_bytes(clip) for clip in some]), kinds, some)
        except Unfinished as error:
            self._keep(error.scores, kinds, some)
            raise

    def _keep(self, answers: ArrayLike, kinds: Sequence[bytes], clips: Sequence[bytes]) -> None:
        values = np.asarray(answers, dtype=np.float64).reshape(len(kinds), len(clips))
        self._store.put(
            {
                _key(kind, clip): float(value)
                for kind, row in zip(kinds, values, strict=True)
                for clip, value in zip(clips, row, strict=True)
                if value == value
            }
        )


def _key(kind: bytes, clip: bytes) -> bytes:
    return kind + hashlib.sha256(clip).digest()
