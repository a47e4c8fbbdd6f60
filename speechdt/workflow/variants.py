"""Variants and adapters of the configuration, with their options resolved and checked."""

import difflib
import inspect
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from speechdt.detectors.contract import Detector
from speechdt.detectors.isolated import KEY, resolved, without_environment
from speechdt.detectors.plugins import broken, find_detectors
from speechdt.detectors.signature import check_options
from speechdt.errors import SpeechdtError, one_line
from speechdt.prompts.bank_entries import speech_is, text_of

NOT_OPTIONS = ("backend", "label", "gpus", "seeds", "level", "container", "choose")
"""Keys of a variant or adapter that are no options of its detector."""
OF_CHECKPOINT = ("model", "revision", "device")
"""What ``models`` may say of a backend's checkpoint, unless a variant or adapter does itself."""
NANO = "nano"
"""Checkpoint that the workflow trains itself, a toy of the same architecture."""
NOT_YET_FOUND = "A) SPEECH\nB) NONSPEECH"
"""What stands for a prompt that is searched for while options are checked."""
RANDOM_WEIGHTS = "random weights"
"""What a model for timing alone is called."""


class ConfigError(SpeechdtError):
    """The message is one line naming the key."""

    def __init__(self, message: str):
        super().__init__(one_line(message))


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
    detectors = find_detectors()
    for variant, entry in variants.items():
        if entry["backend"] not in detectors:
            raise ConfigError(
                f"variants.{variant}: no backend '{entry['backend']}'"
                f"{hint(entry['backend'], detectors)}; there are: {', '.join(detectors)}"
                f"{''.join(f'; {why}' for why in broken())}"
            )
    return {variant: detectors[entry["backend"]] for variant, entry in variants.items()}


def variant_options(
    entry: Mapping[str, Any],
    cls: type[Detector],
    models: Mapping[str, Any],
    prompts: Mapping[str, Any],
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
        perhaps others of `OF_CHECKPOINT`.
    prompts : mapping
        Text of each prompt, or a mapping with ``text`` and ``speech_is``.
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
        options |= _named_prompt(options["prompt"], prompts, searches)
    if adapters is not None and options.get("adapter") is not None:
        options["adapter"] = _adapter(options["adapter"], backend, adapters, adapters_folder)
    options |= {key: resolved(value, cls) for key, value in options.items() if key == KEY}
    return options


def chosen_model(
    options: Mapping[str, Any], backend: str, models: Mapping[str, Any], nano_folder: str
) -> dict[str, Any]:
    """Return ``model``, and what else is said of it; by default what the backend's has.

    Parameters as for :func:`variant_options`.
    """
    chosen = {name: options[name] for name in OF_CHECKPOINT if name in options}
    if "model" not in options and backend in models:
        checkpoint = models[backend]
        chosen = (
            dict(checkpoint) if isinstance(checkpoint, Mapping) else {"model": checkpoint}
        ) | chosen
    if chosen.get("model") == NANO:
        chosen["model"] = f"{nano_folder}/{backend}"
    elif "model" in chosen:
        chosen["model"] = _expanded(chosen["model"])
    return chosen


def _expanded(named: Any) -> Any:
    """Return a folder that is named from ``~`` or ``.`` by its path; anything else as it is."""
    path = os.path.expanduser(named) if isinstance(named, str) else named
    return os.path.normpath(path) if isinstance(path, str) and os.path.isdir(path) else path


def _named_prompt(
    named: Any, prompts: Mapping[str, Any], searches: Iterable[str]
) -> dict[str, Any]:
    """Return ``prompt``: its text, or the mapping that names a search; and ``speech_is``, if B."""
    if not isinstance(named, Mapping):
        entry = _prompt(named, prompts)
        exchanged = {"speech_is": "B"} if speech_is(entry) == "B" else {}
        return {"prompt": text_of(entry)} | exchanged
    if list(named) != ["search"]:
        raise ConfigError(f"prompt {dict(named)} is neither a name nor {{search: NAME}}")
    search = str(named["search"])
    if search not in searches:
        names = ", ".join(searches) or "none"
        raise ConfigError(f"no search '{search}'{hint(search, searches)}; searches: {names}")
    return {"prompt": {"search": search}}


def _prompt(name: Any, prompts: Mapping[str, Any]) -> str | Mapping[str, Any]:
    """Return what the configuration says of a prompt."""
    if not isinstance(name, str):
        raise ConfigError(f"prompt {name!r} is no name of a prompt")
    if name not in prompts:
        names = ", ".join(prompts)
        raise ConfigError(f"no prompt '{name}'{hint(name, prompts)}; prompts: {names}")
    entry: str | Mapping[str, Any] = prompts[name]
    return entry


def _speech_first(name: Any, prompts: Mapping[str, Any]) -> str:
    """Return the text of a prompt that something is trained with."""
    entry = _prompt(name, prompts)
    if speech_is(entry) == "B":
        raise ConfigError(f"prompt '{name}' has SPEECH as option B; training needs it as option A")
    return text_of(entry)


def _adapter(
    name: Any, backend: str, adapters: Mapping[str, Mapping[str, Any]], folder: str
) -> str:
    """Return the folder of an adapter."""
    if not isinstance(name, str):
        raise ConfigError(f"adapter {name!r} is neither the name of an adapter nor a folder")
    if name not in adapters:
        if Path(_expanded(name)).is_dir():
            return str(_expanded(name))
        names = ", ".join(adapters) or "none"
        raise ConfigError(f"no adapter '{name}'{hint(name, adapters)}; adapters: {names}")
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
        complete = options | ({"prompt": NOT_YET_FOUND} if searched(options) else {})
        adapters = resolve.get("adapters_folder", "")
        check_built(cls, complete, resolve["nano_folder"], adapters, entry.get("gpus"))
    except ValueError as error:
        raise ConfigError(f"variants.{variant}: backend '{entry['backend']}': {error}") from error
    return options


def check_built(
    cls: type[Detector],
    options: Mapping[str, Any],
    nano_folder: str,
    adapters_folder: str = "",
    gpus: int | None = None,
) -> None:
    """Check what a detector is to be built with, as far as one can before any job starts.

    The class's own ``check``, if it has one, is called with the options: it looks for weights, say.
    It is given ``model=None`` of a nano model and ``adapter=None`` of an adapter below
    `adapters_folder`: the workflow makes these; and ``gpus``, those that a job claims, if it names
    that parameter.

    Raises
    ------
    ValueError
        If an option is wrong, or ``check`` says so.
    """
    check_options(cls, without_environment(options))
    if KEY in options:  # what it looks for is elsewhere
        return
    given = dict(options)
    if adapters_folder and str(given.get("adapter") or "").startswith(f"{adapters_folder}/"):
        given["adapter"] = None
    _own_check(cls, given, nano_folder, gpus)


def _own_check(
    cls: type[Detector], options: Mapping[str, Any], nano_folder: str, gpus: int | None = None
) -> None:
    own_check = getattr(cls, "check", None)
    if own_check is not None:
        given = dict(options)
        if gpus and "gpus" in inspect.signature(own_check).parameters:
            given["gpus"] = gpus
        if is_nano(options, nano_folder):
            given["model"] = None
        try:
            own_check(**given)
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
    prompts: Mapping[str, Any],
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
    detectors, backend = find_detectors(), entry["backend"]
    if backend not in detectors:
        raise ConfigError(f"adapters.{adapter}: no backend '{backend}'{hint(backend, detectors)}")
    fine_tuning = getattr(detectors[backend], "FineTuning", None)
    if fine_tuning is None:
        raise ConfigError(f"adapters.{adapter}: backend '{backend}' cannot be fine-tuned")
    own = {name: value for name, value in entry.items() if name not in NOT_OPTIONS}
    settings = {"seed": seed} | own
    settings |= chosen_model(settings, backend, models, nano_folder)
    if entry.get("gpus", 1) > 1:
        settings["processes"] = entry["gpus"]
    try:
        if "prompt" in settings:
            named = settings["prompt"]
            settings["prompt"] = (
                [_speech_first(name, prompts) for name in named]
                if isinstance(named, list | tuple)
                else _speech_first(named, prompts)
            )
        check_options(fine_tuning, settings)
        fine_tuning(**settings)
        base = {name: settings[name] for name in OF_CHECKPOINT if name in settings}
        if base:
            _own_check(detectors[backend], base, nano_folder)
    except ValueError as error:
        raise ConfigError(f"adapters.{adapter}: {error}") from error
    return detectors[backend], settings


def model_label(options: Mapping[str, Any], nano_folder: str) -> str:
    """Return what tables call the model of a variant: ``nano``, its name, or '' if it has none.

    A folder whose README begins with "Random weights" is called that: its answers mean nothing.
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
    names = sorted({label for label in labels if label})
    stand_ins = [name for name in (NANO, RANDOM_WEIGHTS) if name in names]
    return stand_ins[0] if stand_ins else " + ".join(names)


def hint(name: str, names: Iterable[str]) -> str:
    """Return a question that names what may have been meant, or ''."""
    close = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
