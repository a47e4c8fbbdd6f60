"""Conditions of the configuration: which are played, and which variants hear them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from speechdt.audio.presentation import ALONE, NOISE
from speechdt.audio.room import NONE, response_files
from speechdt.detectors.contract import shortest_ms
from speechdt.trials.background_origins import RECORDING
from speechdt.trials.conditions import CLEAN, NEUTRAL, Condition, around
from speechdt.trials.grid import Grid
from speechdt.workflow.experiment import Experiment
from speechdt.workflow.ready_made import ready_made
from speechdt.workflow.variants import ConfigError

USUAL_MS = 500
"""Duration of the neutral clip, unless one is configured."""
READY_MADE, ALL = "ready_made", "all"
"""Words for the detectors that learned nothing here, and for all that are no ensembles."""


class Plan(NamedTuple):
    """Conditions to play, and the variants that hear them.

    Attributes
    ----------
    conditions : tuple of Condition
        Empty if nobody hears them.
    variants : dict of str to list of str
        Runs of each variant that hears them.
    responses : tuple of str
        Files with measured impulse responses, if rooms are measured ones.
    """

    conditions: tuple[Condition, ...]
    variants: dict[str, list[str]]
    responses: tuple[str, ...] = ()

    @property
    def runs(self) -> list[str]:
        """Return the runs that hear them."""
        return [run for runs in self.variants.values() for run in runs]

    @property
    def rendered(self) -> list[str]:
        """Return the keys of the conditions with clips of their own."""
        return [condition.key for condition in self.conditions if condition.rendered]

    @property
    def keys(self) -> list[str]:
        """Return the keys of all conditions."""
        return [condition.key for condition in self.conditions]

    @property
    def rooms(self) -> list[str]:
        """Return the rooms, by their reverberation times."""
        return sorted({one.room for one in self.conditions} - {NONE}, key=float)

    @property
    def clean(self) -> bool:
        """Say whether the neutral clip has no background, as in the published protocol."""
        return bool(self.conditions) and self.conditions[0].background == CLEAN


def plan(experiment: Experiment) -> Plan:
    """Return the conditions of an experiment.

    Raises
    ------
    ConfigError
        Naming the key that is wrong.
    """
    settings = experiment.settings["conditions"]
    variants = _variants(settings["variants"], experiment)
    if not variants:
        return Plan((), {})
    conditions = conditions_of(settings, experiment)
    for key, count in _counted([condition.key for condition in conditions]).items():
        if count > 1:
            raise ConfigError(f"conditions.axes: {key.replace('_', ' ', 1)} stands there twice")
    responses = _responses(conditions, experiment.settings["rooms"])
    for name, runs in variants.items():
        for run in runs:
            _check_length(name, experiment.runs[run], conditions)
    return Plan(tuple(conditions), variants, tuple(map(str, responses)))


def duration_of(settings: Mapping[str, Any], grid: Grid) -> int:
    """Return the duration of the neutral clip in ms: as configured, or one that recordings fill."""
    return int(settings["duration_ms"] or min(USUAL_MS, grid.nested_ms[-1]))


def conditions_of(settings: Mapping[str, Any], experiment: Experiment) -> list[Condition]:
    """Return the conditions of a configuration, the neutral one first.

    Recorded backgrounds are played where the grid has them, too.

    Parameters
    ----------
    settings : mapping
        ``conditions`` of the configuration.
    experiment : Experiment

    Raises
    ------
    ConfigError
        Naming the key that is wrong.
    """
    background, axes = settings["background"], settings["axes"]
    clean = background == CLEAN
    if clean and axes["background"]:
        raise ConfigError("conditions.axes.background: the neutral clip has no background to vary")
    if not clean and axes["noise"]:
        raise ConfigError(
            "conditions.axes.noise: takes a neutral clip without noise (background: none); "
            "conditions.snr_db are the SNRs of all conditions"
        )
    if RECORDING not in experiment.settings["trials"]["backgrounds"]:
        axes = {**axes, "background": [kind for kind in axes["background"] if kind != RECORDING]}
    grid = experiment.grid
    chosen = () if clean else tuple(sorted(settings["snr_db"] or grid.curve_levels))
    neutral = Condition(NEUTRAL, "", chosen, duration_of(settings, grid), background)
    return around(neutral, axes)


def _variants(named: Any, experiment: Experiment) -> dict[str, list[str]]:
    variants = experiment.variants
    if named == READY_MADE:
        named = ready_made(experiment)
    elif named == ALL:
        named = [name for name, variant in variants.items() if not variant.members]
    for name in named:
        if name in experiment.settings["variants"] and name not in variants:
            continue  # left out, as null
        if name not in variants:
            raise ConfigError(f"conditions.variants: no variant {name}")
        if variants[name].members:
            raise ConfigError(f"conditions.variants: {name} is an ensemble; name its members")
    return {name: list(variants[name].runs) for name in named if name in variants}


def _counted(keys: list[str]) -> dict[str, int]:
    return {key: keys.count(key) for key in keys}


def _responses(conditions: list[Condition], rooms: Mapping[str, Any]) -> list[Path]:
    """Return the files of measured responses; none where no room is played, or none measured."""
    path = rooms["path"]
    if path is None or all(condition.room == NONE for condition in conditions):
        return []
    if not Path(path).is_dir():
        raise ConfigError(f"rooms.path: no folder {path}")
    files = response_files(Path(path))
    if not files:
        raise ConfigError(
            f"rooms.path: no impulse response in {path}; expected RIRS_NOISES or WAV files"
        )
    return files


def _check_length(variant: str, run: Any, conditions: list[Condition]) -> None:
    """Refuse clips too short for a detector that hears them alone, and containers too short."""
    lengths = [condition.duration_ms for condition in conditions]
    ways = [way["container"] for way in run.alternatives or (run.presentation,)]
    shortest = shortest_ms(run.detector, run.options)
    if ALONE in ways and min(lengths) < shortest:
        raise ConfigError(
            f"variants.{variant}: its detector hears clips of {shortest:g} ms or more, and "
            f"conditions have {min(lengths)}; a `container` makes them longer"
        )
    for way in ways:
        if isinstance(way, Mapping) and way[NOISE] < max(lengths):
            raise ConfigError(
                f"variants.{variant}: container: {NOISE} {way[NOISE]} is shorter than "
                f"{max(lengths)} ms, which conditions have"
            )
