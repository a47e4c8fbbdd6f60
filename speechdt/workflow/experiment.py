"""Experiment: frozen records of all that the rules expand over.

`resolution` makes them of the configuration, once, before any job starts. What is to be known of a
run (its detector and options, whose scores it has, which dev it learns from, what the workflow
makes for it) is a field of ``experiment.runs[name]``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speechdt.detectors.contract import Detector
from speechdt.prompts.settings import SearchSettings
from speechdt.trials.grid import Grid
from speechdt.workflow.hygiene_checks import Check
from speechdt.workflow.left_out_corpora import LeftOut, without


@dataclass(frozen=True)
class Run:
    """A detector that is scored by itself.

    Attributes
    ----------
    name : str
    variant : str
        Row of the matrix that it belongs to.
    backend : str
    detector : type
        Class of the backend.
    options : mapping
        Keyword arguments of the class; a prompt that is searched for is ``{search: NAME}``.
    gpus : int
        That a job with the detector claims.
    label : str
        What tables call its model; '' where it has none.
    made : tuple of str
        Folders of models and adapters that the workflow makes for it.
    search : str or None
        Search whose winner is its prompt.
    adapter : str or None
        Training of this workflow whose adapter it has.
    both_orders : bool
        Whether it can be asked with its options exchanged.
    dev : str
        Split that its threshold and calibration are learned from; a corpus may be left out of it.
    scores : str
        Run whose scores it has: itself, unless it leaves a corpus out and trains nothing.
    left_out : str or None
        Corpus that it has learned nothing from.
    in_domain : str
        The run that differs from it in nothing but the corpus; itself where none is left out.
    presentation : mapping
        ``level`` and ``container`` of the clips that it hears, where nothing is chosen.
    alternatives : tuple of mappings
        ``level``, ``container`` and ``options`` that dev chooses among; of a run without scores of
        its own those of the run whose scores it has.
    """

    name: str
    variant: str
    backend: str
    detector: type[Detector]
    options: Mapping[str, Any]
    gpus: int
    label: str
    made: tuple[str, ...]
    search: str | None
    adapter: str | None
    both_orders: bool
    dev: str
    scores: str
    left_out: str | None
    in_domain: str
    presentation: Mapping[str, Any]
    alternatives: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Variant:
    """A row of the matrix.

    Attributes
    ----------
    name, backend : str
        The backend of an ensemble is ``ensemble``.
    label : str
        What tables call its model.
    runs : tuple of str
        Runs that its figures are means over; an ensemble is calibrated as one run of its own name.
    members : tuple of str
        Variants whose scores an ensemble combines; empty otherwise.
    member_runs : tuple of str
        All runs of the members.
    weights : tuple of float
        How much each of `member_runs` counts.
    how : str
        mean or vote.
    """

    name: str
    backend: str
    label: str
    runs: tuple[str, ...]
    members: tuple[str, ...] = ()
    member_runs: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    how: str = "mean"


@dataclass(frozen=True)
class Training:
    """An adapter that the workflow trains, with one seed.

    Attributes
    ----------
    name, backend : str
    detector : type
    settings : mapping
        Keyword arguments of the class's ``finetune``.
    gpus : int
    base : tuple of str
        The model it is trained on, if the workflow makes it.
    train, dev : str
        Splits that it learns from and is chosen on.
    presentation : mapping
        ``level`` and ``container`` of the clips.
    """

    name: str
    backend: str
    detector: type[Detector]
    settings: Mapping[str, Any]
    gpus: int
    base: tuple[str, ...]
    train: str
    dev: str
    presentation: Mapping[str, Any]


@dataclass(frozen=True)
class Search:
    """A prompt search on dev.

    Attributes
    ----------
    name, backend : str
    detector : type
    options : mapping
        What the detector is built with; its prompt is the baseline.
    baseline : str
        Name of that prompt.
    settings : SearchSettings
    gpus : int
    label : str
        What tables call the model.
    made : tuple of str
        Models and adapters that the workflow makes for it.
    used : bool
        Whether a variant uses its winner, or the backend or variant that it is on. Others are in no
        table and run if one asks for their file.
    presentation : mapping
        ``level`` and ``container`` of the clips that are asked about.
    chooser : str or None
        The run that it is on, if dev chooses how that hears.
    """

    name: str
    backend: str
    detector: type[Detector]
    options: Mapping[str, Any]
    baseline: str
    settings: SearchSettings
    gpus: int
    label: str
    made: tuple[str, ...]
    used: bool
    presentation: Mapping[str, Any]
    chooser: str | None


@dataclass(frozen=True)
class Experiment:
    """All that the rules expand over.

    Attributes
    ----------
    settings : mapping
        The configuration with its defaults, keys sorted.
    grid : Grid
    variants, runs, trainings, searches, checks : mappings
        Records by name. `runs` holds those that leave a corpus out as well.
    adapted : mapping
        Of each variant whose language model is adapted here: ``adapter``, ``runs`` (trainings) and
        the settings that `adapter_settings` names.
    left_out : tuple of LeftOut
        Runs that leave a corpus out.
    left_out_corpora : tuple of str
    marks : tuple of str
        Files of recordings to exclude.
    notes : tuple of str
        Lines for the terminal, of what is left out.
    """

    settings: Mapping[str, Any]
    grid: Grid
    variants: Mapping[str, Variant]
    runs: Mapping[str, Run]
    trainings: Mapping[str, Training]
    searches: Mapping[str, Search]
    checks: Mapping[str, Check]
    adapted: Mapping[str, Mapping[str, Any]]
    left_out: tuple[LeftOut, ...]
    left_out_corpora: tuple[str, ...]
    marks: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ensembles(self) -> list[str]:
        """Variants that combine the scores of others."""
        return [name for name, variant in self.variants.items() if variant.members]

    @property
    def scored(self) -> list[str]:
        """Runs with scores of their own."""
        return [name for name, run in self.runs.items() if run.scores == name]

    @property
    def runs_of(self) -> dict[str, list[str]]:
        """Runs of each variant, by variant."""
        return {name: list(variant.runs) for name, variant in self.variants.items()}

    @property
    def matrix_runs(self) -> list[str]:
        """Runs of all variants, ensembles among them."""
        return [run for variant in self.variants.values() for run in variant.runs]

    @property
    def first_runs(self) -> dict[str, str]:
        """The run of each variant that is shown trial by trial."""
        return {name: variant.runs[0] for name, variant in self.variants.items()}

    @property
    def choosing(self) -> list[str]:
        """Runs of which dev chooses how they hear."""
        return [name for name in self.scored if self.runs[name].alternatives]

    @property
    def trained(self) -> list[str]:
        """Trainings whose adapters a scored run has."""
        adapters = {self.runs[name].adapter for name in self.scored}
        return sorted(name for name in self.trainings if name in adapters)

    @property
    def learned_here(self) -> list[str]:
        """Variants with weights that were learned from train's clips, by themselves or a member."""
        return [
            name
            for name, variant in self.variants.items()
            if any(self.runs[run].made for run in (variant.member_runs or variant.runs))
        ]

    @property
    def used_trainings(self) -> list[str]:
        """Trainings of the variants whose language model is adapted."""
        return sorted({name for entry in self.adapted.values() for name in entry["runs"]})

    @property
    def used_searches(self) -> list[str]:
        """Searches that tables and report tell of."""
        return [name for name, search in self.searches.items() if search.used]

    @property
    def asked(self) -> list[str]:
        """Runs of the matrix that can be asked in both orders of their options."""
        own = [name for name in self.matrix_runs if name in self.runs]
        return [name for name in own if self.runs[name].both_orders]

    @property
    def train_sets(self) -> dict[str, str | None]:
        """The train set and those that leave a corpus out, with that corpus."""
        again = {without("train", corpus): corpus for corpus in self.left_out_corpora}
        return {"train": None, **again}

    @property
    def judged_left_out(self) -> dict[str, str]:
        """Runs that leave a corpus out and those they are compared with; whose scores each has."""
        names = [name for run in self.left_out for name in (run.in_domain, run.name)]
        return {name: self.scores_of(name) for name in names}

    def dev_of(self, name: str) -> str:
        """Return the dev split that a run or ensemble is calibrated on."""
        return self.runs[name].dev if name in self.runs else "dev"

    def scores_of(self, name: str) -> str:
        """Return the run whose scores a run or ensemble has."""
        return self.runs[name].scores if name in self.runs else name
