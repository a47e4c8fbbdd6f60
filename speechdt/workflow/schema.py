"""Check of a configuration against its JSON schema, with mistakes said in one line."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from jsonschema.exceptions import ValidationError, relevance

from speechdt.workflow.variants import ConfigError, hint

CALLED = {
    "object": "a mapping, {key: value}",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
"""Types of a JSON schema in words."""


def check_schema(
    config: Mapping[str, Any], schema: Path | str, *, called: str = "configuration"
) -> None:
    """Check a configuration against a JSON schema in YAML.

    Parameters
    ----------
    config : mapping
        The configuration, or another file's content.
    schema : path
        YAML file that holds the JSON schema.
    called : str
        What the message begins with, such as the name of the file.

    Raises
    ------
    ConfigError
        Naming the key that is unknown, missing or has a wrong value.
    """
    errors = list(_validator(Path(schema).read_text()).iter_errors(dict(config)))
    if errors:
        raise ConfigError(f"{called}: {_say(_innermost(max(errors, key=relevance)))}")
    # NaN is neither below a minimum nor above a maximum.
    for where, value in _numbers(config):
        if not math.isfinite(value):
            raise ConfigError(f"{called}: {where}: {value} is no finite number")


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(yaml.safe_load(schema))


def _numbers(value: Any, where: str = "") -> Iterator[tuple[str, float]]:
    """Yield all numbers with a point of a configuration, and the keys that lead to them."""
    if isinstance(value, float):
        yield where, value
    steps: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        steps = value.items()
    elif isinstance(value, list | tuple):
        steps = enumerate(value)
    for step, inner in steps:
        yield from _numbers(inner, f"{where}.{step}" if where else str(step))


def _innermost(error: ValidationError) -> ValidationError:
    """Return what is wrong within a value that fits none of the forms it may have."""
    while mistakes := [inner for inner in error.context or () if not _wants_null(inner)]:
        of_form = Counter(inner.relative_schema_path[0] for inner in mistakes)
        error = max(mistakes, key=partial(_telling, of_form))
    return error


def _telling(of_form: Mapping[Any, int], error: ValidationError) -> tuple[int | bool, ...]:
    """Return what ranks a mistake: the form that was meant has a key nearly right, or fewest."""
    unknown = _unknown_key(error)
    return (
        len(error.absolute_path),
        "did you mean" in unknown,
        -of_form[error.relative_schema_path[0]],
        bool(unknown),
        error.validator == "required",
    )


def _unknown_key(error: ValidationError) -> str:
    """Name the key that no form has, or ''."""
    if error.validator != "additionalProperties":
        return ""
    properties = error.schema.get("properties", {})
    unknown = next(key for key in error.instance if key not in properties)
    keys = f"; keys: {', '.join(properties)}" if properties else ""
    return f"unknown key '{unknown}'{hint(str(unknown), properties)}{keys}"


def _wants_null(error: ValidationError) -> bool:
    return (error.validator, error.validator_value) == ("type", "null")


def _wanted(error: ValidationError) -> str:
    """Return the types that a value may have, of all forms."""
    beside = error.parent.context if error.parent else [error]
    types = [
        str(inner.validator_value)
        for inner in beside or ()
        if inner.validator == "type" and not _wants_null(inner) and inner.path == error.path
    ]
    return " or ".join(CALLED.get(kind, kind) for kind in dict.fromkeys(types))


def _say(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    message = str(error.message)
    if error.validator == "type" and "propertyNames" in error.absolute_schema_path:
        message = f"key {error.instance!r} is no text; write it in quotes"
    elif error.validator == "type" and isinstance(error.validator_value, str):
        value = "null" if error.instance is None else repr(error.instance)
        message = f"{value} must be {_wanted(error)}"
    message = _unknown_key(error) or message
    return f"{where}: {message}" if where else message
