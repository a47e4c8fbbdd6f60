"""Check a configuration before any job starts, and say what is wrong in one line."""

import difflib
import inspect
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from jsonschema.exceptions import ValidationError, relevance

from speechdt.detector import Detector
from speechdt.errors import SpeechdtError
from speechdt.plugins import check_options, find_detectors

NOT_OPTIONS = ("backend", "gpus", "seeds")
"""Keys of a variant or adapter that are no options of its detector."""
NANO = "nano"
"""Checkpoint that the workflow trains itself, a toy of the same architecture."""
NOT_YET_FOUND = "A) SPEECH\nB) NONSPEECH"
"""What stands for a prompt that is searched for while options are checked."""
RANDOM_WEIGHTS = "random weights"
"""What a model for timing alone is called."""

CALLED = {
    "object": "a mapping, {key: value}",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
"""Types of a JSON schema in words."""


class ConfigError(SpeechdtError):
    """The message is one line naming the key."""


def check_schema(config: Mapping[str, Any], schema: Path | str) -> None:
    """Check a configuration against a JSON schema in YAML.

    Raises
    ------
    ConfigError
        Naming the key that is unknown, missing or has a wrong value.
    """
    validator = jsonschema.Draft202012Validator(yaml.safe_load(Path(schema).read_text()))
    errors = list(validator.iter_errors(dict(config)))
    if errors:
        raise ConfigError(_say(_innermost(max(errors, key=relevance))))
    # NaN is neither below a minimum nor above a maximum.
    for where, value in _numbers(config):
        if not math.isfinite(value):
            raise ConfigError(f"configuration: {where}: {value} is no finite number")


def variant_detectors(variants: Mapping[str, Mapping[str, Any]]) -> dict[str, type[Detector]]:
    """Return the detector class of each variant.

    Parameters
    ----------
    variants : mapping
        ``backend``, ``gpus`` and options of each variant.

    Raises
    ------
    ConfigError
        If there is no variant, or a backend does not exist.
    PluginError
        If a plugin is broken.
    """
    if not variants:
        raise ConfigError("configuration: variants: none is left; name at least one")
    found = find_detectors()
    for variant, entry in variants.items():
        if entry["backend"] not in found:
            raise ConfigError(
                f"variants.{variant}: no backend '{entry['backend']}'"
                f"{meant(entry['backend'], found)}; there are: {', '.join(found)}"
            )
    return {variant: found[entry["backend"]] for variant, entry in variants.items()}


def variant_options(
    entry: Mapping[str, Any],
    cls: type[Detector],
    models: Mapping[str, Any],
    prompts: Mapping[str, str],
    nano_folder: str,
    adapters: Mapping[str, Mapping[str, Any]] | None = None,
    adapters_folder: str = "",
    searches: Iterable[str] = (),
) -> dict[str, Any]:
    """Return what the detector of a variant is built with: its options, names resolved.

    Parameters
    ----------
    entry : mapping
        The variant.
    cls : type
        Its detector class. If it takes a ``model``, that of its backend is the default; if it takes
        a ``prompt``, the variant names one.
    models : mapping
        Checkpoint of each backend: `NANO`, a hub id or folder, or a mapping with ``model`` and
        ``revision``.
    prompts : mapping
        Text of each prompt.
    nano_folder : str
        Where the workflow puts the nano models, by backend.
    adapters : mapping or None
        Adapters that the workflow trains, by name; a variant's ``adapter`` may also be a folder.
    adapters_folder : str
        Where it puts them.
    searches : iterable of str
        Names of the prompt searches; the prompt of a variant may be ``{search: NAME}``, and stays
        so until the winner is known.
    """
    options = {name: value for name, value in entry.items() if name not in NOT_OPTIONS}
    accepted = inspect.signature(cls).parameters
    backend = entry["backend"]
    if "model" in accepted:
        options |= chosen_model(options, backend, models, nano_folder)
    if "prompt" in accepted and "prompt" in options:
        options["prompt"] = _named_prompt(options["prompt"], prompts, searches)
    if adapters is not None and options.get("adapter") is not None:
        options["adapter"] = _adapter(options["adapter"], backend, adapters, adapters_folder)
    return options


def chosen_model(
    options: Mapping[str, Any], backend: str, models: Mapping[str, Any], nano_folder: str
) -> dict[str, Any]:
    """Return ``model``, and ``revision`` if there is one; by default those of the backend.

    Parameters as for :func:`variant_options`.
    """
    chosen = {name: options[name] for name in ("model", "revision") if name in options}
    if "model" not in options and backend in models:
        checkpoint = models[backend]
        chosen |= checkpoint if isinstance(checkpoint, Mapping) else {"model": checkpoint}
    if chosen.get("model") == NANO:
        chosen["model"] = f"{nano_folder}/{backend}"
    return chosen


def _named_prompt(
    named: Any, prompts: Mapping[str, str], searches: Iterable[str]
) -> str | dict[str, str]:
    """Return the text of a prompt; of one that is searched for, the mapping that says so."""
    if not isinstance(named, Mapping):
        return _prompt(named, prompts)
    if list(named) != ["search"]:
        raise ConfigError(f"prompt {dict(named)} is neither a name nor {{search: NAME}}")
    search = str(named["search"])
    if search not in searches:
        known = ", ".join(searches) or "none"
        raise ConfigError(f"no search '{search}'{meant(search, searches)}; searches: {known}")
    return {"search": search}


def _prompt(name: Any, prompts: Mapping[str, str]) -> str:
    """Return the text of a prompt."""
    if not isinstance(name, str):
        raise ConfigError(f"prompt {name!r} is no name of a prompt")
    if name not in prompts:
        known = ", ".join(prompts)
        raise ConfigError(f"no prompt '{name}'{meant(name, prompts)}; prompts: {known}")
    return prompts[name]


def _adapter(
    name: Any, backend: str, adapters: Mapping[str, Mapping[str, Any]], folder: str
) -> str:
    """Return the folder of an adapter."""
    if not isinstance(name, str):
        raise ConfigError(f"adapter {name!r} is neither the name of an adapter nor a folder")
    if name not in adapters:
        if Path(name).is_dir():
            return name
        known = ", ".join(adapters) or "none"
        raise ConfigError(f"no adapter '{name}'{meant(name, adapters)}; adapters: {known}")
    if adapters[name]["backend"] != backend:
        raise ConfigError(f"adapter '{name}' is one of {adapters[name]['backend']}")
    return f"{folder}/{name}"


def check_variant(
    variant: str, entry: Mapping[str, Any], cls: type[Detector], **resolve: Any
) -> dict[str, Any]:
    """Return the options of a variant, checked; parameters as for :func:`variant_options`.

    Raises
    ------
    ConfigError
        Naming the variant: a prompt or an option does not exist, or the class's own ``check``
        objects or fails.
    """
    try:
        options = variant_options(entry, cls, **resolve)
        known = options | ({"prompt": NOT_YET_FOUND} if searched(options) else {})
        check_built(cls, known, resolve["nano_folder"])
    except ValueError as error:
        raise ConfigError(f"variants.{variant}: backend '{entry['backend']}': {error}") from error
    return options


def check_built(cls: type[Detector], options: Mapping[str, Any], nano_folder: str) -> None:
    """Check what a detector is to be built with, as far as one can before any job starts.

    The class's own ``check``, if it has one, is called with the options: it looks for weights, say.
    It is told ``model=None`` of a nano model, which the workflow makes.

    Raises
    ------
    ValueError
        If an option is wrong, or ``check`` says so.
    """
    check_options(cls, options)
    _own_check(cls, options, nano_folder)


def _own_check(cls: type[Detector], options: Mapping[str, Any], nano_folder: str) -> None:
    own_check = getattr(cls, "check", None)
    if own_check is not None:
        told = dict(options)
        if is_nano(options, nano_folder):
            told["model"] = None
        try:
            own_check(**told)
        except ValueError:
            raise
        except (Exception, SystemExit) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise ConfigError(f"its check() fails: {type(error).__name__}: {reason}") from error


def is_nano(options: Mapping[str, Any], nano_folder: str) -> bool:
    """Say whether the model of a detector is a nano one, which the workflow makes."""
    return str(options.get("model") or "").startswith(f"{nano_folder}/")


def searched(options: Mapping[str, Any]) -> str | None:
    """Return the search that a variant's prompt is the winner of, or None."""
    prompt = options.get("prompt")
    wanted = prompt.get("search") if isinstance(prompt, Mapping) else None
    return None if wanted is None else str(wanted)


def check_adapter(
    adapter: str,
    entry: Mapping[str, Any],
    models: Mapping[str, Any],
    prompts: Mapping[str, str],
    nano_folder: str,
    seed: int,
) -> tuple[type[Detector], dict[str, Any]]:
    """Return the detector class of an adapter, and the settings of its ``finetune``, checked.

    Parameters
    ----------
    adapter : str
        Its name.
    entry : mapping
        ``backend``, ``gpus`` and settings; ``prompt`` is the name of a prompt, or several.
    models, prompts, nano_folder
        As for :func:`variant_options`.
    seed : int
        Where the entry has none of its own.

    Raises
    ------
    ConfigError
        Naming the adapter: its backend does not exist or cannot be trained, or a setting is wrong.
    """
    found, backend = find_detectors(), entry["backend"]
    if backend not in found:
        raise ConfigError(f"adapters.{adapter}: no backend '{backend}'{meant(backend, found)}")
    known = getattr(found[backend], "FineTuning", None)
    if known is None:
        raise ConfigError(f"adapters.{adapter}: backend '{backend}' cannot be fine-tuned")
    settings = {"seed": seed} | {
        name: value for name, value in entry.items() if name not in NOT_OPTIONS
    }
    settings |= chosen_model(settings, backend, models, nano_folder)
    if entry.get("gpus", 1) > 1:
        settings["processes"] = entry["gpus"]
    try:
        if "prompt" in settings:
            named = settings["prompt"]
            settings["prompt"] = (
                [_prompt(name, prompts) for name in named]
                if isinstance(named, list | tuple)
                else _prompt(named, prompts)
            )
        check_options(known, settings)
        known(**settings)
        base = {name: settings[name] for name in ("model", "revision") if name in settings}
        if base:
            _own_check(found[backend], base, nano_folder)
    except ValueError as error:
        raise ConfigError(f"adapters.{adapter}: {error}") from error
    return found[backend], settings


def model_label(options: Mapping[str, Any], nano_folder: str) -> str:
    """Return what tables call the model of a variant: ``nano``, its name, or '' if it has none.

    A folder whose README begins with "Random weights" is called that, since its answers mean
    nothing.
    """
    model = str(options.get("model", ""))
    if is_nano(options, nano_folder):
        return NANO
    card = Path(model) / "README.md"
    if model and card.is_file() and card.read_text().lower().startswith(RANDOM_WEIGHTS):
        return RANDOM_WEIGHTS
    return model


def joint_label(labels: Iterable[str]) -> str:
    """Return what tables call several models together: a stand-in among them names them all."""
    found = sorted({label for label in labels if label})
    for stand_in in (NANO, RANDOM_WEIGHTS):
        if stand_in in found:
            return stand_in
    return " + ".join(found)


def meant(name: str, known: Iterable[str]) -> str:
    """Return a question that names what may have been meant, or ''."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


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

    while found := [inner for inner in error.context or () if not _wants_null(inner)]:
        of_form = Counter(inner.relative_schema_path[0] for inner in found)
        error = max(found, key=partial(_telling, of_form))
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
    known = error.schema.get("properties", {})
    unknown = next(key for key in error.instance if key not in known)
    keys = f"; keys: {', '.join(known)}" if known else ""
    return f"unknown key '{unknown}'{meant(str(unknown), known)}{keys}"


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
    return f"configuration: {where}: {message}" if where else f"configuration: {message}"
