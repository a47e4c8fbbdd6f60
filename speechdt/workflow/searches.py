"""Prompt searches of the configuration, resolved before any job starts."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from speechdt.detectors.contract import Detector
from speechdt.detectors.plugins import find_detectors
from speechdt.detectors.signature import check_options
from speechdt.prompts.settings import SearchSettings
from speechdt.workflow.variants import ConfigError, check_built, hint, searched, variant_options

BASELINE = "baseline"
"""Name of the prompt that is the baseline where nothing else is said."""


class Checked(NamedTuple):
    """A prompt search whose names are resolved.

    Attributes
    ----------
    cls : type
        Detector class.
    entry : dict
        The variant, or what stands for it, whose prompt is searched for.
    options : dict
        What the detector is built with; its prompt is the baseline.
    settings : SearchSettings
    """

    cls: type[Detector]
    entry: dict[str, Any]
    options: dict[str, Any]
    settings: SearchSettings


def is_used(
    search: str, entry: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Say whether a search belongs to the matrix: a variant uses its winner, or what it is on.

    Parameters
    ----------
    search : str
        Its name.
    entry : mapping
        ``on``, a variant or what would be one, and settings.
    variants : mapping
        Those of the matrix that have a backend.
    """
    if search in {searched(variant) for variant in variants.values()}:
        return True
    on = entry["on"]
    if isinstance(on, Mapping):
        return on["backend"] in {variant["backend"] for variant in variants.values()}
    return on in variants


def check_unused(
    entries: Mapping[str, Mapping[str, Any]],
    variants: Mapping[str, Mapping[str, Any]],
    **resolve: Any,
) -> tuple[dict[str, Checked], str]:
    """Return the searches that could run though the matrix does not use them.

    They are part of no table, and run if one asks for their file; so one that could not run, since
    its variant is left out or its model out of reach, is no error.

    Parameters
    ----------
    entries : mapping
        Searches for which `is_used` is false, by name.
    variants, **resolve
        As for `check_search`.

    Returns
    -------
    searches : dict of str to Checked
    note : str
        One line that names all of `entries`, with the reason where one could not run; empty if
        there are none.
    """
    checked: dict[str, Checked] = {}
    named = []
    for search, entry in entries.items():
        on, why = entry["on"], ""
        if isinstance(on, Mapping):
            on = on["backend"]
            try:
                checked[search] = check_search(search, entry, variants, **resolve)
            except ConfigError as error:
                why = f"; {str(error).removeprefix(f'searches.{search}: ')}"
        named.append(f"{search} (on {on}{why})")
    note = f"searches left out, since no variant uses them: {', '.join(named)}" if named else ""
    return checked, note


def check_search(
    search: str,
    entry: Mapping[str, Any],
    variants: Mapping[str, Mapping[str, Any]],
    **resolve: Any,
) -> Checked:
    """Return a prompt search, checked.

    Parameters
    ----------
    search : str
        Its name.
    entry : mapping
        ``on``, a variant or what would be one, and settings.
    variants : mapping
        All variants.
    **resolve
        As for :func:`variant_options`.

    Raises
    ------
    ConfigError
        Naming the search: what it is on does not exist or cannot be asked in words, or a setting is
        wrong.
    """
    on = entry["on"]
    if not isinstance(on, Mapping):
        if on not in variants:
            raise ConfigError(f"searches.{search}: on: no variant '{on}'{hint(on, variants)}")
        on = variants[on]
    on = {"prompt": BASELINE} | dict(on)
    classes, backend = find_detectors(), on["backend"]
    if backend not in classes:
        raise ConfigError(f"searches.{search}: on: no backend '{backend}'{hint(backend, classes)}")
    cls = classes[backend]
    if not hasattr(cls, "score_prompts"):
        raise ConfigError(f"searches.{search}: backend '{backend}' takes no prompt")
    settings = {name: value for name, value in entry.items() if name != "on"}
    try:
        options = variant_options(on, cls, **resolve)
        if searched(options):
            raise ValueError("on: its prompt is searched for itself")
        if options.get("speech_is", "A") == "B":
            raise ValueError("on: its prompt has SPEECH as option B; searches need it as option A")
        adapters, gpus = resolve.get("adapters_folder", ""), cast("int | None", on.get("gpus"))
        check_built(cls, options, resolve["nano_folder"], adapters, gpus)
        kind: Any = SearchSettings
        check_options(kind, settings)
        if settings.get("start", 0) > len(resolve["prompts"]):
            raise ValueError(
                f"start is {settings['start']}, and there are {len(resolve['prompts'])} prompts"
            )
        chosen = SearchSettings(**settings)
        if chosen.kind == "local":
            _check_writer(chosen.proposer_options["model"], classes)
        return Checked(cls, on, options, chosen)
    except ValueError as error:
        raise ConfigError(f"searches.{search}: {error}") from error


def _check_writer(model: str, classes: Mapping[str, type[Detector]]) -> None:
    """Look for a language model that is to propose prompts, as the detectors that write do."""
    for cls in classes.values():
        check_writer = getattr(cls, "check_writer", None)
        if check_writer is not None:
            check_writer(model)
            return
