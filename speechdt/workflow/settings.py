"""Settings: a checked copy of the configuration that Snakemake merged, with defaults."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from speechdt.detectors.plugins import broken
from speechdt.workflow.paths import expanded
from speechdt.workflow.runs import check_named, removed
from speechdt.workflow.schema import check_schema


def checked(
    config: Mapping[str, Any],
    given: Mapping[str, Any],
    schema: Path,
    fill: Callable[[dict[str, Any], Path], None],
) -> dict[str, Any]:
    """Return the settings of an experiment: a checked copy of a configuration, with defaults.

    Parameters
    ----------
    config, given : mappings
        As for :func:`prepared`.
    schema : Path
        JSON schema in YAML.
    fill : callable
        Fills the schema's defaults into a configuration (`snakemake.utils.validate`).

    Raises
    ------
    ConfigError
        Naming the key that is wrong.
    """
    settings = prepared(config, given)
    check_schema(settings, schema)
    check_named(settings)
    fill(settings, schema)
    trials = settings["trials"]
    trials.setdefault("train_backgrounds", trials["backgrounds"])
    ordered: dict[str, Any] = in_order(settings)
    return ordered


def with_defaults(config: Mapping[str, Any], defaults: Path) -> dict[str, Any]:
    """Return a configuration with a file's values where it says nothing.

    Mappings are merged at all depths, as Snakemake merges configuration files; all else is one
    value.
    """
    under = yaml.safe_load(defaults.read_text(encoding="utf-8"))
    return _merged(dict(under or {}), config)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            value = _merged(below, value)
        merged[key] = value
    return merged


def prepared(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a configuration, ready to be checked.

    Variants of the plan that were removed, and are named all the same, are there and null.

    Parameters
    ----------
    config : mapping
        As Snakemake merged it.
    given : mapping
        The part of it that came by ``--config``, where numbers are still text.
    """
    settings: dict[str, Any] = expanded(retyped(deepcopy(dict(config)), given))
    if isinstance(settings.get("variants"), dict):
        settings["variants"] |= dict.fromkeys(removed(settings))
    searches = settings.get("searches")
    if isinstance(searches, dict):
        settings["searches"] = {name: _with_on(entry) for name, entry in searches.items()}
    return settings


def early_notes(config: Mapping[str, Any]) -> list[str]:
    """Return a line for each removal that does nothing, and each plugin that does not import."""
    left_out = [f"left out, as no variant uses it: {why}" for why in broken()]
    return [*removal_notes(config), *left_out]


def removal_notes(config: Mapping[str, Any]) -> list[str]:
    """Return a line on the variants that were removed and are named by other sections, if any."""
    names = ", ".join(removed(config))
    return [f"left out of comparisons and verdict: {names} (no such variant)"] if names else []


def retyped(config: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose values from the command line have their YAML types.

    Snakemake leaves numbers within a mapping that ``--config`` gives as text.

    Parameters
    ----------
    config : mapping
    given : mapping
        What ``--config`` said, which `config` holds already.
    """
    settings = dict(config)
    for key, value in given.items():
        inner = settings.get(key)
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            settings[key] = retyped(inner, value)
        else:
            settings[key] = typed(value)
    return settings


def typed(value: Any) -> Any:
    """Return a value with numbers, truth values and null for the texts that spell them."""
    if isinstance(value, Mapping):
        return {key: typed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [typed(part) for part in value]
    if not isinstance(value, str):
        return value
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return read if read is None or isinstance(read, bool | int | float) else value


def _with_on(entry: Any) -> Any:
    """In YAML 1.1 a bare `on` is true; the default quotes it, so that a user's form wins."""
    if not isinstance(entry, dict) or True not in entry:
        return entry
    rest = {key: value for key, value in entry.items() if key is not True}
    return rest | {"on": entry[True]}


def in_order(value: Any) -> Any:
    """Return a copy with keys sorted at all depths: Snakemake takes another order for a change."""
    if not isinstance(value, Mapping):
        return value
    return {key: in_order(value[key]) for key in sorted(value)}
