"""Dev clips of a search, and a detector that answers each prompt on each clip once."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt.arrays import Floats, Indices
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.containment import ScoreError, contained, numbers, read_only
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.parts import WHOLE, share, store_of
from speechdt.prompts.answer_store import CHUNK, AskOnce, PromptStore
from speechdt.store import Store
from speechdt.trials.clips import of_cell

COLUMNS = ["trial_id", "item_id", "group_id", "label", "category", "snr_db", "duration_ms"]


class PromptTrials:
    """Trials in memory, and the answers of one detector to any prompt about them.

    Parameters
    ----------
    cells : sequence of paths
        Cell files.
    build : callable
        Builds the detector, when the first answer is needed that is not in the store.
    store : PromptStore
    audio_gib : float
        Memory for encoded audio, for a detector that can keep it; 0 leaves that as it is.

    Attributes
    ----------
    table : DataFrame
        Trials, COLUMNS.
    keys : list of bytes
        What each clip is known by: a digest of its audio.
    ask : AskOnce
    """

    def __init__(
        self,
        cells: Sequence[Path | str],
        build: Callable[[], Any],
        store: PromptStore,
        audio_gib: float = 0.0,
    ):
        tables, clips = zip(*(of_cell(cell, COLUMNS) for cell in cells), strict=True)
        self.table: pd.DataFrame = pd.concat(tables, ignore_index=True)
        self._build, self._audio_gib, self._store = build, audio_gib, store
        self.keys = [key for of in clips for key in of.keys]
        self._stored = [(of, place) for of in clips for place in range(len(of))]
        self._pool = ThreadPoolExecutor(1)  # it alone reads the cells' audio
        self._begun: dict[int, Future[list[NDArray[np.float32]]]] = {}
        self.ask = AskOnce(self._ask, store, self.keys)

    @cached_property
    def detector(self) -> Any:
        """The detector."""
        built = self._build()
        if self._audio_gib and hasattr(built, "keep_audio"):
            built.keep_audio(self._audio_gib)
        return built

    @property
    def tower_passes(self) -> int | None:
        """Clips that this process encoded; None if the detector does not count them."""
        if "detector" not in self.__dict__:
            return 0
        return getattr(self.detector, "tower_passes", None)

    def ask_all(self, prompts: Sequence[str]) -> Floats:
        """Return P(speech), (prompts, clips), about all clips."""
        return self.ask(prompts, np.arange(len(self.table)))

    def take_over(self, prompt: str, scores: Path) -> None:
        """Take the answers to a prompt from the scores of a run, if there are any.

        Parameters
        ----------
        prompt : str
        scores : Path
            Store of a run that hears as this detector does, and is asked that prompt.
        """
        if not scores.exists():
            return
        asked = self._store.answers(prompt, self.keys)
        of_run = Store(scores)
        answers = of_run.get([key for key, p in zip(self.keys, asked, strict=True) if p != p])
        of_run.close()
        self._store.put({prompt: answers})

    def ask_share(self, prompts: Sequence[str], part: str) -> int:
        """Ask what a part of the job is to ask, every n-th chunk; return how many clips it has.

        The chunks are those in which :meth:`ask_all` asks, so that answers are the same.
        """
        numbers = np.arange(len(self.table))
        chunks = share([numbers[at : at + CHUNK] for at in range(0, len(numbers), CHUNK)], part)
        for chunk in chunks:
            self.ask(prompts, chunk)
        return sum(map(len, chunks))

    def in_words(self) -> list[str]:
        """Return what each clip is, in words."""
        columns = self.table[["category", "duration_ms", "snr_db"]]
        return [
            f"{kind}, {ms} ms, {db:g} dB SNR" for kind, ms, db in columns.itertuples(index=False)
        ]

    def _decoded(self, clip: int) -> NDArray[np.float32]:
        """Return the audio of a clip. What comes next is on its way, while this is asked about."""
        own = clip // CHUNK
        for chunk in (own, own + 1):
            if chunk not in self._begun:
                self._begun[chunk] = self._pool.submit(self._decode, chunk)
        return self._begun[own].result()[clip % CHUNK]

    def _decode(self, chunk: int) -> list[NDArray[np.float32]]:
        stored = self._stored[chunk * CHUNK : (chunk + 1) * CHUNK]
        return [from_flac_bytes(clips.flac[place]) for clips, place in stored]

    def _ask(self, prompts: Sequence[str], clips: Indices) -> Floats:
        audio = read_only([self._decoded(i) for i in clips])
        detector = self.detector
        who = type(getattr(detector, "of", detector)).__name__
        with contained(who):
            scores = numbers(detector.score_prompts(audio, prompts), who)
        if scores.shape != (len(prompts), len(clips)):
            raise ScoreError(
                f"{who} answered {scores.shape} scores to {len(prompts)} prompts about "
                f"{len(clips)} clips"
            )
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ScoreError(f"{who} gives a clip a P(speech) outside [0, 1]")
        return scores


def prompt_store(
    results: Path, hearing: Hearing, search: str = "", part: str = WHOLE
) -> PromptStore:
    """Open the store of a detector under its options, whatever its prompt.

    That of a part is its own (see `detectors.parts`); the job of a search that has parts takes over
    what they have left.
    """
    path = results / "cache" / "prompts" / hearing.store_name("prompt")
    return PromptStore(store_of(path, search, part) if search else path)
