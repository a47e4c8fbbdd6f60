"""Answers to a question in both orders of its options, kept so that none is asked for twice."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from speechdt.arrays import Bools, Floats
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.call import ScoreError
from speechdt.detectors.contract import Unfinished
from speechdt.detectors.hearing import Hearing
from speechdt.progress import progress as progress_bar
from speechdt.prompts.answer_options import swap_options
from speechdt.store import Store
from speechdt.trials.clips import Clips, of_cell

Ask = Callable[[list[NDArray[np.float32]]], ArrayLike]

AS_IT_IS, EXCHANGED, MASS = b"as it is", b"exchanged", b"mass"
"""What is kept of a clip, by the beginning of its key."""
TOKENS = b"tokens"
"""Key of the tokens that answer."""
MASS_CLIPS = 100
"""Clips of all cells whose answer mass is measured."""


class OrderAnswers:
    """Log-odds and answer mass of one detector, each kept as soon as it is there.

    What a killed job or a server that went away has answered is not asked for again: no clip, and
    of a clip not the order that is known.

    Parameters
    ----------
    build : callable
        Builds the detector, when the first answer is needed that is not in the store; it has
        ``prompt``, ``log_odds`` and perhaps ``answer_mass`` and ``answers``.
    store : Store
        Belongs to this detector under its options.
    """

    def __init__(self, build: Callable[[], Any], store: Store):
        self._build, self._store = build, store

    @cached_property
    def _detector(self) -> Any:
        return self._build()

    def log_odds(self, clips: Clips) -> Floats:
        """Return the log-odds of SPEECH, (2, clips): options as they are, and exchanged.

        Parameters
        ----------
        clips : Clips

        Raises
        ------
        Unfinished
            If the detector stops before it has answered all.
        """
        lacks_first, lacks_second = (
            np.isnan(self._stored(kind, clips)) for kind in (AS_IT_IS, EXCHANGED)
        )

        def ask(audio: list[NDArray[np.float32]], **orders: bool) -> Any:
            return self._detector.log_odds(audio, **orders)

        self._ask(ask, (AS_IT_IS, EXCHANGED), clips, lacks_first & lacks_second)
        self._ask(lambda audio: ask(audio, both=False), (AS_IT_IS,), clips,
                  lacks_first & ~lacks_second)  # fmt: skip
        self._ask(self._ask_exchanged, (EXCHANGED,), clips, lacks_second & ~lacks_first)
        return np.stack([self._stored(kind, clips) for kind in (AS_IT_IS, EXCHANGED)])

    def answer_mass(self, clips: Clips) -> Floats:
        """Return P(A) + P(B) of clips, (clips,)."""
        lacking = np.isnan(self._stored(MASS, clips))
        self._ask(lambda audio: self._detector.answer_mass(audio), (MASS,), clips, lacking)
        return self._stored(MASS, clips)

    def tokens(self) -> dict[str, Any] | None:
        """Return the tokens that answer, None of a detector that does not tell."""
        stored = self._store.get([TOKENS])
        if TOKENS not in stored:
            answers = getattr(self._detector, "answers", None)
            stored[TOKENS] = None if answers is None else asdict(answers)
            self._store.put(stored)
        tokens: dict[str, Any] | None = stored[TOKENS]
        return tokens

    def _ask_exchanged(self, audio: list[NDArray[np.float32]]) -> ArrayLike:
        """Ask in the second order alone: a question by itself, whose option A is the other."""
        exchanged = [swap_options(self._detector.prompt)]
        try:
            return -np.asarray(self._detector.log_odds(audio, exchanged, both=False))
        except Unfinished as error:
            raise Unfinished(str(error), -error.scores) from None

    def _stored(self, kind: bytes, clips: Clips) -> Floats:
        """Return what is kept of clips, NaN for nothing."""
        keys = [kind + key for key in clips.keys]
        stored = self._store.get(keys)
        return np.array([stored.get(key, np.nan) for key in keys], dtype=np.float64)

    def _ask(
        self, ask: Ask, kinds: Sequence[bytes], clips: Clips, which: NDArray[np.bool_]
    ) -> None:
        """Ask about some of the clips, and keep what comes, (kinds, …, clips), but for NaN."""
        if not which.any():
            return
        some = clips.some(np.flatnonzero(which).tolist())
        try:
            self._keep(ask([from_flac_bytes(clip) for clip in some.flac]), kinds, some)
        except Unfinished as error:
            self._keep(error.scores, kinds, some)
            raise

    def _keep(self, answers: ArrayLike, kinds: Sequence[bytes], clips: Clips) -> None:
        values = np.asarray(answers, dtype=np.float64).reshape(len(kinds), len(clips))
        self._store.put(
            {
                kind + key: float(value)
                for kind, row in zip(kinds, values, strict=True)
                for key, value in zip(clips.keys, row, strict=True)
                if value == value
            }
        )


class Orders(NamedTuple):
    """Answers of one detector about cells, in both orders of its options.

    Attributes
    ----------
    log_odds : float64 array, (2, clips)
    speech : bool array, (clips,)
    mass : float64 array, (some clips,), or None
        P(A) + P(B), of some clips of each cell.
    tokens : dict or None
        Those that answer.
    """

    log_odds: Floats
    speech: Bools
    mass: Floats | None
    tokens: dict[str, Any] | None


def ask_both_orders(
    hearing: Hearing, build: Callable[[], Any], cells: Sequence[Path | str], store: Store, who: str
) -> Orders:
    """Ask a detector about all clips of cells, each once.

    Parameters
    ----------
    hearing : Hearing
    build : callable
        Builds the detector, when the first answer is needed that is not in the store.
    cells : sequence of paths
        Cell files.
    store : Store
    who : str
        What an error calls the detector.

    Raises
    ------
    ScoreError
        If it stops before it has answered all.
    """
    kept, answers, labels, mass = OrderAnswers(build, store), [], [], []
    each = -(-MASS_CLIPS // len(cells))
    for cell in progress_bar(cells, desc="asking both orders", unit="cell"):
        trials, clips = of_cell(cell, ["label"])
        try:
            answers.append(kept.log_odds(clips))
            if hasattr(hearing.cls, "answer_mass"):
                some = range(len(clips))[:: max(1, len(clips) // each)][:each]
                mass.append(kept.answer_mass(clips.some(some)))
        except Unfinished as error:
            raise ScoreError(f"{who}: {error}") from error
        labels.append(trials["label"])
    return Orders(
        np.concatenate(answers, axis=1),
        (pd.concat(labels) == "SPEECH").to_numpy(),
        np.concatenate(mass) if mass else None,
        kept.tokens(),
    )
