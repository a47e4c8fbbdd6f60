"""Store of answers and proposals on disk: an interrupted search repeats no question."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speechdt.arrays import Floats, Indices
from speechdt.prompts.race import Ask

CHUNK = 512
"""Clips that prompts are asked about, and answers saved, at a time."""
PATIENCE_S = 120
"""How long one job waits for another that writes."""


class PromptStore:
    """P(speech) by prompt and clip, and proposals by name.

    Parameters
    ----------
    path : Path
        Database file; made if it is not there. It belongs to one detector under certain options.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=PATIENCE_S)
        with self._database:
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS answers "
                "(prompt BLOB, clip BLOB, p_speech REAL NOT NULL, PRIMARY KEY (prompt, clip)) "
                "WITHOUT ROWID"
            )
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS proposals (name TEXT PRIMARY KEY, texts TEXT NOT NULL)"
            )

    def answers(self, prompt: str) -> dict[bytes, float]:
        """Return what is known of a prompt, by clip key."""
        rows = self._database.execute(
            "SELECT clip, p_speech FROM answers WHERE prompt = ?", (_key(prompt),)
        )
        return dict(rows)

    def put(self, answers: Mapping[str, Mapping[bytes, float]]) -> None:
        """Save P(speech) by prompt and clip; once this returns, a killed process loses none."""
        rows = [(_key(q), clip, p) for q, of in answers.items() for clip, p in of.items()]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)

    def proposals(self, name: str, propose: Callable[[], list[str]]) -> list[str]:
        """Return what was proposed under a name, or propose now and save it."""
        found = self._database.execute("SELECT texts FROM proposals WHERE name = ?", (name,))
        row = found.fetchone()
        if row is not None:
            return list(json.loads(row[0]))
        texts = propose()
        with self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO proposals VALUES (?, ?)", (name, json.dumps(texts))
            )
        return texts

    def close(self) -> None:
        """Close the file."""
        self._database.close()


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
        self._known: dict[str, NDArray[np.float64]] = {}
        self.asked = 0

    def __call__(self, prompts: Sequence[str], clips: Indices) -> Floats:
        """Return P(speech), (prompts, clips)."""
        for start in range(0, len(clips), CHUNK):
            chunk = clips[start : start + CHUNK]
            for together, missing in self._missing(prompts, chunk):
                fresh = np.asarray(self._ask(together, missing), dtype=np.float64)
                self.asked += fresh.size
                self._store.put(
                    {
                        prompt: {self._keys[i]: float(p) for i, p in zip(missing, row, strict=True)}
                        for prompt, row in zip(together, fresh, strict=True)
                    }
                )
                for prompt, row in zip(together, fresh, strict=True):
                    self._known[prompt][missing] = row
        return np.array([self._of(prompt)[clips] for prompt in prompts])

    def _of(self, prompt: str) -> Floats:
        """Return what is known of a prompt, (clips,), NaN elsewhere."""
        if prompt not in self._known:
            stored = self._store.answers(prompt)
            known = [stored.get(key, np.nan) for key in self._keys]
            self._known[prompt] = np.array(known, dtype=np.float64)
        return self._known[prompt]

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
