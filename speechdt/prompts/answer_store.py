"""Store of answers and proposals on disk: an interrupted search repeats no question."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speechdt.arrays import Floats, Indices
from speechdt.detectors.contract import Unfinished
from speechdt.prompts.race import Ask
from speechdt.store import Store

CHUNK = 512
"""Clips that prompts are asked about, and answers saved, at a time."""


class PromptStore:
    """P(speech) by prompt and clip, and proposals by name.

    Parameters
    ----------
    kept : Path or Store
        Database file, made if it is not there, or what is open of it. It belongs to one detector
        under certain options.
    """

    def __init__(self, kept: Path | Store):
        self._store = kept if isinstance(kept, Store) else Store(kept)

    def answers(self, prompt: str, clips: Sequence[bytes]) -> list[float]:
        """Return what is known of a prompt about each clip, NaN for nothing."""
        keys = [_key(prompt) + clip for clip in clips]
        kept = self._store.get(keys)
        return [kept.get(key, np.nan) for key in keys]

    def put(self, answers: Mapping[str, Mapping[bytes, float]]) -> None:
        """Save P(speech) by prompt and clip; once this returns, a killed process loses none."""
        self._store.put(
            {_key(prompt) + clip: p for prompt, of in answers.items() for clip, p in of.items()}
        )

    def proposals(self, name: str, propose: Callable[[], list[str]]) -> list[str]:
        """Return what was proposed under a name, or propose now and save it."""
        key = _key(f"proposals {name}")
        kept = self._store.get([key])
        if key not in kept:
            kept[key] = propose()
            self._store.put(kept)
        return list(kept[key])

    def close(self) -> None:
        """Close the file."""
        self._store.close()


class AskOnce:
    """Asks about a prompt and a clip once in a lifetime.

    Parameters
    ----------
    ask : callable
        Returns P(speech), (prompts, clips), of prompts about clips by number.
    store : PromptStore
    keys : sequence of bytes
        What each clip is known by.

    Attributes
    ----------
    asked : int
        Prompts times clips that were not in the store.
    """

    def __init__(self, ask: Ask, store: PromptStore, keys: Sequence[bytes]):
        self._ask, self._store, self._keys = ask, store, keys
        self._answers: dict[str, NDArray[np.float64]] = {}
        self.asked = 0

    def __call__(self, prompts: Sequence[str], clips: Indices) -> Floats:
        """Return P(speech), (prompts, clips)."""
        for start in range(0, len(clips), CHUNK):
            chunk = clips[start : start + CHUNK]
            for together, missing in self._missing(prompts, chunk):
                try:
                    fresh = np.asarray(self._ask(together, missing), dtype=np.float64)
                except Unfinished as error:
                    self._keep(together, missing, error.scores)
                    raise
                self.asked += fresh.size
                self._keep(together, missing, fresh)
                for prompt, row in zip(together, fresh, strict=True):
                    self._answers[prompt][missing] = row
        return np.array([self._of(prompt)[clips] for prompt in prompts])

    def _keep(self, prompts: Sequence[str], clips: Indices, answers: Floats) -> None:
        """Save answers, (prompts, clips), but for those that are NaN."""
        self._store.put(
            {
                prompt: {self._keys[i]: float(p) for i, p in zip(clips, row, strict=True) if p == p}
                for prompt, row in zip(prompts, answers, strict=True)
            }
        )

    def _of(self, prompt: str) -> Floats:
        """Return what is known of a prompt, (clips,), NaN elsewhere."""
        if prompt not in self._answers:
            kept = self._store.answers(prompt, self._keys)
            self._answers[prompt] = np.array(kept, dtype=np.float64)
        return self._answers[prompt]

    def _missing(
        self, prompts: Sequence[str], clips: Indices
    ) -> Iterator[tuple[list[str], Indices]]:
        """Yield prompts that lack the same clips together, and these clips."""
        by_clips: dict[bytes, tuple[list[str], Indices]] = {}
        for prompt in dict.fromkeys(prompts):
            missing = clips[np.isnan(self._of(prompt)[clips])]
            if len(missing):
                by_clips.setdefault(missing.tobytes(), ([], missing))[0].append(prompt)
        yield from by_clips.values()


def _key(prompt: str) -> bytes:
    return hashlib.sha256(prompt.encode()).digest()
