"""Criteria that the configuration names (`verdict.criteria`), read and checked before any job."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from speechdt.errors import SpeechdtError
from speechdt.workflow.schema import check_schema
from speechdt.workflow.variants import ConfigError

RULES = Path(__file__).resolve().parents[2] / "rules"
PLAN, SCHEMA = RULES / "criteria.yaml", RULES / "criteria.schema.yaml"
KEY = "verdict.criteria"
"""Key of the configuration that names a file, or holds the criteria."""


def read_criteria(
    verdict: Mapping[str, Any],
    variants: Collection[str],
    understand: Callable[[Mapping[str, Any], Collection[str] | None], object],
) -> dict[str, Any]:
    """Return the criteria of the study: those of `rules/criteria.yaml`, unless others are named.

    Parameters
    ----------
    verdict : mapping
        The section of the configuration; its ``criteria`` is a YAML file, or what would stand in
        one.
    variants : collection of str
        All that the configuration names. A study's own criteria may ask for no other; of those of
        the plan, what is not there is not run.
    understand : callable
        `speechdt.reporting.tables.criteria.criteria_of`, handed in, since no part below the rules
        imports both this one and reporting: makes records, or raises a SpeechdtError.

    Returns
    -------
    dict
        ``criteria`` and ``tree``, as plain values.

    Raises
    ------
    ConfigError
        Naming file and key: a file that is not there or no YAML, an unknown key, metric or variant.
    """
    given = verdict.get("criteria") or PLAN
    called = KEY if isinstance(given, Mapping) else str(given)
    criteria = dict(given if isinstance(given, Mapping) else _read(Path(given)))
    check_schema(criteria, SCHEMA, called=called)
    try:
        understand(criteria, None if given is PLAN else variants)
    except SpeechdtError as error:
        raise ConfigError(f"{called}: {error}") from None
    return criteria


def _read(path: Path) -> Mapping[str, Any]:
    """Read a YAML file that holds a mapping."""
    try:
        criteria = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigError(f"{KEY}: there is no file {path}") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigError(f"{path}: {line}{error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(criteria, Mapping):
        raise ConfigError(f"{path}: holds no mapping with a key 'criteria'")
    return criteria
