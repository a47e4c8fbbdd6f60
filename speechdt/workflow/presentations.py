"""Presentation of clips to variants: levels, containers, and alternatives to choose from on dev.

The first of the alternatives is the default: clips as stored, alone, and the class's own options.
"""

import inspect
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from speechdt.audio.presentation import ALONE, NOISE, STORED, Presentation
from speechdt.detectors.contract import Detector, hears_at_own_level, shortest_ms
from speechdt.detectors.isolated import without_environment
from speechdt.detectors.signature import check_options
from speechdt.workflow.variants import ConfigError, searched

AUTO = "auto"
"""Level that dev chooses from the ladder."""
Alternative = dict[str, Any]
"""``level``, ``container`` and ``options``."""


class Presentations(NamedTuple):
    """Presentation of clips to a run.

    Attributes
    ----------
    presentation : dict
        ``level`` and ``container``, where nothing is chosen.
    alternatives : tuple of dict
        What dev chooses among, the default first: ``level``, ``container`` and ``options`` each;
        empty where nothing is chosen.
    """

    presentation: dict[str, Any]
    alternatives: tuple[Alternative, ...] = ()


def of_variant(
    entry: Mapping[str, Any],
    cls: type[Detector],
    options: Mapping[str, Any],
    ladder: Sequence[Any],
    longest_ms: int,
    trained_in: Any = None,
) -> Presentations:
    """Return the presentation of clips to a variant.

    Parameters
    ----------
    entry : mapping
        The variant: ``level``, ``container`` and ``choose`` count here.
    cls : type
        Its detector class.
    options : mapping
        What the detector is built with.
    ladder : sequence
        Levels that ``auto`` chooses among.
    longest_ms : int
        Of the clips.
    trained_in : container or None
        Of its adapter, if the workflow trains one.

    Raises
    ------
    ValueError
        Saying which key is wrong.
    """
    choose = dict(entry.get("choose", {}))
    if trained_in is not None:
        return Presentations(_as_trained(entry, choose, trained_in, longest_ms))
    levels = _levels(entry, choose, cls, ladder)
    containers = _containers(entry, choose, longest_ms)
    chosen_options = _option_sets(entry, choose, cls, options)
    offered = [
        {"level": level, "container": container, "options": own}
        for level, container, own in product(levels, containers, chosen_options)
    ]
    if len(offered) == 1:
        return Presentations(Presentation.of(levels[0], containers[0]).to_dict())
    if searched(options):
        raise ValueError("its prompt is searched for: nothing else can be chosen on dev with it")
    plain = {"level": levels[0], "container": containers[0]}
    return Presentations(plain, tuple(offered))


def check_length(
    ways: Presentations, cls: type[Detector], options: Mapping[str, Any], grid: Mapping[str, Any]
) -> None:
    """Refuse clips that are too short for a detector which hears them without a container.

    Raises
    ------
    ValueError
        Naming the key of the grid.
    """
    containers = [way["container"] for way in ways.alternatives or (ways.presentation,)]
    shortest = shortest_ms(cls, without_environment(options))
    if ALONE not in containers:
        return
    for key, levels in (("duration_ms", grid["duration_ms"]), ("clean_ms", [grid["clean_ms"]])):
        if min(levels) < shortest:
            raise ValueError(
                f"its detector takes clips of {shortest:g} ms or more, and grid.{key} has "
                f"{min(levels)}; a `container` makes them longer"
            )


def of_search(entry: Mapping[str, Any], cls: type[Detector], longest_ms: int) -> dict[str, Any]:
    """Return how a search's detector hears that is no variant.

    Raises
    ------
    ValueError
        If something is to be chosen.
    """
    ways = of_variant(entry, cls, {}, [STORED], longest_ms)
    if ways.alternatives or entry.get("level") == AUTO:
        raise ValueError("on: only a variant chooses its level")
    return ways.presentation


def _as_trained(
    entry: Mapping[str, Any], choose: Mapping[str, Any], trained_in: Any, longest_ms: int
) -> dict[str, Any]:
    if choose or entry.get("level", STORED) != STORED:
        raise ValueError(
            "what is trained here is played clips as in training: name neither level nor choose"
        )
    if entry.get("container", trained_in) != trained_in:
        raise ValueError("container: what is trained here has the one of its adapter")
    return {"level": STORED, "container": checked_container(trained_in, longest_ms)}


def checked_container(container: Any, longest_ms: int) -> Any:
    """Return a container, or raise a ValueError if a clip does not fit into it."""
    if isinstance(container, Mapping) and container[NOISE] < longest_ms:
        raise ValueError(f"container: {NOISE} {container[NOISE]} is shorter than {longest_ms} ms")
    return dict(container) if isinstance(container, Mapping) else container


def _levels(
    entry: Mapping[str, Any], choose: dict[str, Any], cls: type[Detector], ladder: Sequence[Any]
) -> list[Any]:
    if "level" in entry and "level" in choose:
        raise ValueError("level: name it in choose or beside it, not both")
    default = AUTO if hears_at_own_level(cls) else STORED
    level = choose.pop("level", entry.get("level", default))
    if level == AUTO:
        level = list(ladder)
    # As stored comes first where it is offered at all: the default, and what wins a tie.
    return _first(level, STORED) if isinstance(level, list | tuple) else [level]


def _containers(entry: Mapping[str, Any], choose: dict[str, Any], longest_ms: int) -> list[Any]:
    named = [*choose.pop("lead_in", ()), *choose.pop("container", ())]
    if named and "container" in entry:
        raise ValueError("container: name it in choose or beside it, not both")
    named = _first(named, ALONE) if named else [entry.get("container", ALONE)]
    return [checked_container(container, longest_ms) for container in named]


def _option_sets(
    entry: Mapping[str, Any],
    choose: Mapping[str, Any],
    cls: type[Detector],
    options: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return every combination of the options to choose among, the class's defaults first."""
    accepted = inspect.signature(cls).parameters
    axes = {}
    for name, values in choose.items():
        if name in entry:
            raise ValueError(f"{name}: name it in choose or beside it, not both")
        for value in values:
            check_options(cls, without_environment(options) | {name: value})
        own = accepted[name].default
        axes[name] = _first(values, values[0] if own is inspect.Parameter.empty else own)
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def _first(values: Sequence[Any], default: Any) -> list[Any]:
    """Return the values once each, the default before them."""
    distinct = [default]
    distinct += [value for value in values if value not in distinct]
    return distinct


def check_trained(adapter: str, entry: Mapping[str, Any], longest_ms: int) -> Any:
    """Return the container that an adapter is trained in.

    Raises
    ------
    ConfigError
        Naming the adapter.
    """
    try:
        return checked_container(entry.get("container", ALONE), longest_ms)
    except ValueError as error:
        raise ConfigError(f"adapters.{adapter}: {error}") from error
