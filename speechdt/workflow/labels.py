"""Labels of the variants of a configuration, for readers."""

from collections.abc import Mapping
from typing import Any

from speechdt.workflow.variants import ConfigError


def labels(entries: Mapping[str, Mapping[str, Any] | None]) -> dict[str, str]:
    """Return what readers call each variant: its ``label``, or its key.

    Parameters
    ----------
    entries : mapping
        The variants of the configuration; those that are null are left out.

    Raises
    ------
    ConfigError
        If two are called alike.
    """
    names: dict[str, str] = {}
    for variant, entry in entries.items():
        if entry is not None:
            name = str(entry.get("label", variant))
            if name in names.values():
                first = next(key for key, other in names.items() if other == name)
                raise ConfigError(f"variants.{variant}: label '{name}' is that of {first}, too")
            names[variant] = name
    return names
