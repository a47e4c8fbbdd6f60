"""Paths of a configuration: ``~`` and ``$VARIABLES`` in them."""

import os
import re
import shlex
from collections.abc import Mapping
from typing import Any

from speechdt.workflow.variants import ConfigError

PATHS = ("path", "model", "adapter", "criteria", "exclude", "models", "pathvars")
"""Keys whose texts are paths, or may be; those within them too."""
_UNKNOWN = re.compile(r"\$(\w+|\{[^}]*\})")


def expanded(value: Any, key: str = "", inside: bool = False) -> Any:
    """Return a value of a configuration with ``~`` and ``$VARIABLES`` in its paths replaced.

    Parameters
    ----------
    value : object
        A configuration, or a part of one.
    key : str
        Where it stands in it, with dots.
    inside : bool
        Whether texts in it are paths.

    Raises
    ------
    ConfigError
        Naming the key and the variable that is not set.
    """
    if isinstance(value, Mapping):
        return {
            name: expanded(part, f"{key}.{name}".lstrip("."), inside or name in PATHS)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [expanded(part, f"{key}.{place}", inside) for place, part in enumerate(value)]
    if not inside or not isinstance(value, str) or not ("$" in value or value.startswith("~")):
        return value
    path = os.path.expanduser(os.path.expandvars(value))
    if (unknown := _UNKNOWN.search(path)) and not os.path.exists(path):
        raise ConfigError(f"{key}: {unknown[0]} in '{value}' is not set")
    return path


def check_interpreter(path: str) -> None:
    """Refuse a Python whose path a shell would take apart: Snakemake calls it without quotes.

    Raises
    ------
    ConfigError
        Saying what to do.
    """
    if path and shlex.quote(path) != path:
        raise ConfigError(
            f"Snakemake does not quote the path of Python ({path}): make the environment in a "
            "folder whose path has letters, digits and -_./ alone"
        )
