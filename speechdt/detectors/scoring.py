"""Scores of cells by a detector, each clip scored once.

Scores are kept in a small database beside the results, by the content of the clip; the database
itself belongs to one detector, its options, its source and the versions of what it imports. A
killed job goes on where it was, a new SNR level costs its own clips only, and an edited backend
starts anew.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from speechdt.audio.io import from_flac_bytes
from speechdt.checksums import guarded
from speechdt.detectors.call import ScoreError, ask
from speechdt.detectors.contract import Detector, Unfinished
from speechdt.progress import progress as progress_bar
from speechdt.store import Store
from speechdt.trials.cells import SCHEMA, count_trials, read_cell
from speechdt.trials.clips import Clips, of_cell

Item = TypeVar("Item")

CHUNK = 64
"""Clips that are scored, and saved, at a time; a detector's ``clips_at_once`` says otherwise."""
MOST_BESIDE = 4
"""Things that may be under way beside a detector: of a killed job, answers to no more are lost."""


def score_cells(
    build: Callable[[], Detector],
    files: Iterable[tuple[Path | str, Path | str]],
    store: Store,
    name: str,
) -> int:
    """Score every cell file and write trial_id, p_speech beside it.

    The detector is built when the first clip without a score turns up; see :class:`Asker`.

    Parameters
    ----------
    build : callable
        Builds the detector.
    files : iterable of (path, path)
        Cell files, each with where its scores go.
    store : Store
    name : str
        What an error calls the detector.

    Returns
    -------
    int
        Number of clips that the detector was asked for.

    Raises
    ------
    ScoreError
        If it answers with a wrong number of scores, or one that is not in [0, 1].
    """
    asker = Asker(build, store, name)
    files = list(files)
    total = sum(count_trials(cell) for cell, _ in files)

    def look_up(cell: Path | str) -> LookedUp:
        trials, clips = of_cell(cell, ["trial_id"])
        return asker.look_up(clips, trials["trial_id"])

    def write(output: Path | str, names: list[str], scores: list[float]) -> None:
        table = pd.DataFrame({"trial_id": names, "p_speech": scores})
        table.to_parquet(output, index=False, write_page_checksum=True)

    with progress_bar(total=total, desc="scoring", unit="clip") as progress, asker:
        # So that a GPU always has something to do: while a cell is scored, the next one is decoded,
        # that behind it is looked up, and the scores of the last one are written.
        looked_up = ahead((asker.beside(look_up, cell), output) for cell, output in files)
        prepared = ahead((asker.prepare(lookup.result()), output) for lookup, output in looked_up)
        for clips, output in prepared:
            asker.beside(write, output, clips.names, asker.ask(clips, progress))
    return asker.asked


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Return items, each when the one behind it has been begun; the first is begun at once."""
    left = iter(items)
    begun = deque(islice(left, 1))

    def each() -> Iterator[Item]:
        while begun:
            begun.extend(islice(left, 1))
            yield begun.popleft()

    return each()


class LookedUp(NamedTuple):
    """Clips, and what is known of them.

    Attributes
    ----------
    names : list of str
    clips : Clips
    stored : dict of bytes to float
        P(speech) by key, as far as it is known.
    """

    names: list[str]
    clips: Clips
    stored: dict[bytes, float]


class Prepared(NamedTuple):
    """Clips that a detector is to be asked about.

    Attributes
    ----------
    names : list of str
    keys : list of bytes
        What each is known by.
    stored : dict of bytes to float
        P(speech), as far as it is known.
    chunks, missing : lists
        Places of the clips that are asked together, and of those in each that are not known.
    decoded : iterator
        Audio of the missing ones of each chunk; that of the first is on its way.
    """

    names: list[str]
    keys: list[bytes]
    stored: dict[bytes, float]
    chunks: list[range]
    missing: list[list[int]]
    decoded: Iterator[list[NDArray[np.float32]]]


class Asker:
    """A detector that is asked about each clip once, and built for the first that is not known.

    Parameters
    ----------
    build : callable
        Builds the detector.
    store : Store
        Its scores, by the digest of the stored clip.
    name : str
        What an error calls the detector.

    Attributes
    ----------
    asked : int
        Clips that it was asked about.
    """

    def __init__(self, build: Callable[[], Detector], store: Store, name: str):
        self._build, self._store, self._name = build, store, name
        self._detector: Detector | None = None
        # One thread, which alone reads and writes the store.
        self._pool = ThreadPoolExecutor(1)
        self._begun: deque[Future[Any]] = deque()
        self._answers: dict[bytes, float] = {}
        self.asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()  # what was answered is saved, whatever went wrong
        if error[0] is None:
            self._raise_of(0)

    def beside(self, do: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do something while the detector is asked, one after the other in the order given.

        What it raises is raised here, by one of the next calls, or at the end of the ``with``.
        """
        self._raise_of(MOST_BESIDE - 1)
        self._begun.append(self._pool.submit(do, *arguments))
        return self._begun[-1]

    def _raise_of(self, most: int) -> None:
        """Wait until no more than so many things are done beside; raise what went wrong."""
        while len(self._begun) > most:
            self._begun.popleft().result()

    def scores(self, clips: Clips, names: Iterable[str], progress: Any = None) -> list[float]:
        """Return P(speech) of clips, in order, when all are saved; parameters as of its parts."""
        with self:
            return self.ask(self.prepare(self.look_up(clips, names)), progress)

    def look_up(self, clips: Clips, names: Iterable[str]) -> LookedUp:
        """Look up what is known of clips.

        Parameters
        ----------
        clips : Clips
            Read only if one is not known.
        names : iterable of str
            What an error calls them.
        """
        return LookedUp(list(names), clips, self._store.get(clips.keys))

    def prepare(self, lookup: LookedUp) -> Prepared:
        """Build the detector, if a clip is not known, and begin to decode.

        Chunks are cut from all of the clips, not from what is missing of them, so that a resumed
        run groups clips as an undisturbed one.
        """
        names, clips, scores = lookup
        keys = clips.keys
        # Answers since then: the same clip may stand in two cells.
        scores |= {key: self._answers[key] for key in keys if key in self._answers}
        if any(key not in scores for key in keys):
            self._detector = self._detector or self._build()
        size = getattr(self._detector, "clips_at_once", CHUNK)
        chunks = [range(i, min(i + size, len(clips))) for i in range(0, len(clips), size)]
        missing = [[i for i in chunk if keys[i] not in scores] for chunk in chunks]
        decoding = ahead(self._pool.submit(_samples, clips.some(places)) for places in missing)
        return Prepared(names, keys, scores, chunks, missing, (one.result() for one in decoding))

    def ask(self, prepared: Prepared, progress: Any = None) -> list[float]:
        """Return P(speech) of clips, in order.

        Parameters
        ----------
        prepared : Prepared
        progress : tqdm, optional
            A bar that counts them.
        """
        names, keys, scores, *parts = prepared
        for chunk, places, decoded in zip(*parts, strict=True):
            if places:
                scores |= self._asked(
                    decoded, [keys[i] for i in places], [names[i] for i in places]
                )
            if progress is not None:
                progress.update(len(chunk))
        return [scores[key] for key in keys]

    def _asked(
        self, clips: list[NDArray[np.float32]], keys: list[bytes], names: list[str]
    ) -> dict[bytes, float]:
        """Return the scores of clips by their keys, which are saved meanwhile."""
        try:
            fresh = ask(self._detector, clips, names, self._name)  # type: ignore[arg-type]
        except Unfinished as error:
            answered = zip(keys, error.scores, strict=True)
            self.beside(self._store.put, {key: float(p) for key, p in answered if p == p})
            raise ScoreError(f"{self._name}: {error}") from error
        new = {key: float(p) for key, p in zip(keys, fresh, strict=True)}
        self.beside(self._store.put, new)
        self._answers |= new
        self.asked += len(keys)
        return new


def _samples(clips: Clips) -> list[NDArray[np.float32]]:
    return [from_flac_bytes(clip) for clip in clips.flac]


def read_scored(files: Iterable[tuple[Path | str, Path | str]]) -> pd.DataFrame:
    """Join trials (all columns but audio) with their p_speech, over several cells.

    Parameters
    ----------
    files : iterable of (path, path)
        Cell files, each with its scores. Scores of further trials are passed over: a cell may leave
        a corpus out of that which was scored.

    Raises
    ------
    ScoreError
        If a trial has no score, or two.
    """
    columns = [name for name in SCHEMA.names if name != "audio"]
    joined = []
    for cell, scores in files:
        trials, given = read_cell(cell, columns), _read_scores(Path(scores))
        p_speech = given.set_index("trial_id")["p_speech"]
        missing = trials.loc[~trials["trial_id"].isin(p_speech.index), "trial_id"]
        if len(missing) or not p_speech.index.is_unique:
            why = f"no score of trial {missing.iloc[0]}" if len(missing) else "a trial twice"
            raise ScoreError(f"{scores} does not belong to {cell}: {why}")
        joined.append(trials.assign(p_speech=p_speech.loc[trials["trial_id"]].to_numpy()))
    return pd.concat(joined, ignore_index=True)


def _read_scores(path: Path) -> pd.DataFrame:
    with guarded(path, pa.ArrowException, ValueError):
        return pd.read_parquet(
            path, columns=["trial_id", "p_speech"], page_checksum_verification=True
        )
