"""What ``--config`` said: Snakemake leaves numbers within it as text, which YAML would not."""

from collections.abc import Mapping
from typing import Any

import yaml


def retype(config: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Give the values of a configuration that came by the command line their YAML types.

    Parameters
    ----------
    config : dict
        The configuration; changed in place.
    given : mapping
        What ``--config`` said, which `config` holds already.
    """
    for key, value in given.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            retype(config[key], value)
        else:
            config[key] = typed(value)


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
