"""What readers call the variants of a configuration."""

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
    found: dict[str, str] = {}
    for variant, entry in entries.items():
        if entry is not None:
            name = str(entry.get("label", variant))
            if name in found.values():
                first = next(key for key, other in found.items() if other == name)
                raise ConfigError(f"variants.{variant}: label '{name}' is that of {first}, too")
            found[variant] = name
    return found
