"""All that a run is asked once its clips are there, kept so that other jobs find it.

One job asks every run on a base this way and reads the base once; the jobs of each run then write
their files from what is kept, and ask nothing again.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speechdt.detectors.answer_files import by_run
from speechdt.detectors.conditions import score as score_conditions
from speechdt.detectors.contract import Detector, hears_at_own_level
from speechdt.detectors.hearing import Built, Hearing, OneDetector
from speechdt.detectors.level_probe import ask_at_levels
from speechdt.detectors.parts import share, store_of
from speechdt.detectors.scoring import score_cells
from speechdt.errors import SpeechdtError
from speechdt.prompts.order_answers import ask_both_orders
from speechdt.prompts.winner import with_prompt
from speechdt.store import Store
from speechdt.trials.conditions import Condition


def hearings(
    runs: Mapping[str, Mapping[str, Any]],
    classes: Mapping[str, type[Detector]],
    searches: Iterable[Path | str],
    choices: Iterable[Path | str],
) -> dict[str, Hearing]:
    """Return how runs hear.

    Parameters
    ----------
    runs : mapping of str to mapping
        ``backend``, ``options``, ``presentation`` and ``search`` (None, or that whose winner is its
        prompt) of each run.
    classes : mapping
        Detector classes by backend.
    searches : iterable of paths
        ``prompts/{search}.json``.
    choices : iterable of paths
        ``choices/{run}.json`` of those for which dev chose.
    """
    search_files, chosen = by_run(searches), by_run(choices)
    return {
        name: Hearing.of_run(
            of["backend"],
            classes[of["backend"]],
            with_prompt(of["options"], [search_files[of["search"]]] if of["search"] else []),
            of["presentation"],
            [chosen[name]] if name in chosen else [],
        )
        for name, of in runs.items()
    }


@dataclass(frozen=True)
class Further:
    """Questions to runs beside the scores of their cells.

    Attributes
    ----------
    dev : sequence of paths
        Cells of dev, of the plan's levels: for both orders of the options, and presentation levels.
    axis : sequence of float
        Presentation levels.
    clips, probe_clips : int
        Heard at each level by a detector that has a level of its own, and by others.
    conditions, foils : sequences of Condition
    trials, foil_trials : sequences of paths
        Their clips.
    """

    dev: Sequence[Path | str]
    axis: Sequence[float]
    clips: int
    probe_clips: int
    conditions: Sequence[Condition]
    trials: Sequence[Path | str]
    foils: Sequence[Condition]
    foil_trials: Sequence[Path | str]


@dataclass(frozen=True)
class AskedRun:
    """A run, how it hears, and what it is asked.

    Attributes
    ----------
    name : str
    hearing : Hearing
    scores : bool
        Those of its cells, and at levels.
    orders, conditions, foils : bool
    """

    name: str
    hearing: Hearing
    scores: bool
    orders: bool
    conditions: bool
    foils: bool

    @property
    def who(self) -> str:
        """Name of the run in errors."""
        return f"variants.{self.name}: backend '{self.hearing.backend}'"

    def score(self, one: OneDetector, cells: Sequence[Path | str], cache: Path, part: str) -> int:
        """Score a part's share of cells, into its store; return how many clips were asked about.

        Parameters
        ----------
        one : OneDetector
        cells : sequence of paths
        cache : Path
            Folder of what is kept.
        part : str
            As for `speechdt.detectors.parts.share`.
        """
        store = store_of(cache / "scores" / self.hearing.store_name(), self.name, part)
        # The scores stay in the store; the job of the run writes the files.
        with tempfile.TemporaryDirectory() as scratch:
            files = [
                (cell, Path(scratch) / f"{place}.parquet")
                for place, cell in enumerate(share(cells, part))
            ]
            asked = score_cells(one.builder(self.hearing.presentation), files, store, self.who)
        store.close()
        return asked

    def ask_further(self, one: OneDetector, further: Further, cache: Path) -> None:
        """Ask all else that jobs of this run will ask for."""
        if self.scores:
            own_level = hears_at_own_level(self.hearing.cls)
            ask_at_levels(
                further.dev,
                one,
                further.axis,
                cache / "scores",
                clips=further.clips if own_level else further.probe_clips,
                who=self.who,
            )
        if self.orders:
            store = Store(cache / "order_bias" / self.hearing.store_name())
            build = one.builder(self.hearing.presentation)
            ask_both_orders(self.hearing, build, further.dev, store, self.who)
            store.close()
        if self.conditions:
            self._hear(one, further.conditions, further.trials, cache)
        if self.foils:
            self._hear(one, further.foils, further.foil_trials, cache)

    def _hear(
        self,
        detector: OneDetector,
        conditions: Sequence[Condition],
        trials: Sequence[Path | str],
        cache: Path,
    ) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            score_conditions(
                detector,
                conditions,
                {Path(path).stem: Path(path) for path in trials},
                {
                    condition.key: Path(scratch) / f"{condition.key}.parquet"
                    for condition in conditions
                },
                lambda hearing: Store(cache / "scores" / hearing.store_name()),
                self.who,
            )


def ask_runs(
    runs: Sequence[AskedRun],
    built: Built,
    cells: Sequence[Path | str],
    further: Further,
    cache: Path,
    part: str,
) -> tuple[dict[str, int], list[str]]:
    """Ask runs in turn, of what is shared out a part's share; one that fails holds up no other.

    Parameters
    ----------
    runs : sequence of AskedRun
    built : callable
        What builds detectors: that of a shared base.
    cells : sequence of paths
    further : Further
    cache : Path
        Folder of what is kept.
    part : str
        ``1-of-1``, or as for `speechdt.detectors.parts.share`. Cells are shared out, and of the
        rest every n-th run.

    Returns
    -------
    asked : dict of str to int
        Clips of cells that each run was asked about.
    failures : list of str
        What went wrong, a line each.
    """
    asked: dict[str, int] = {}
    failures: list[str] = []
    mine = share(runs, part)
    for run in runs:
        one = OneDetector(run.hearing, built)
        try:
            asked[run.name] = run.score(one, cells, cache, part) if run.scores else 0
            if run in mine:
                run.ask_further(one, further, cache)
        except SpeechdtError as error:
            failures.append(str(error))  # not itself: its frames hold the detector
    return asked, failures
