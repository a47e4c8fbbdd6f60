"""Prompt searches of the configuration, resolved before any job starts."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

from speechdt.detectors.contract import Detector
from speechdt.detectors.plugins import find_detectors
from speechdt.detectors.signature import check_options
from speechdt.prompts.settings import SearchSettings
from speechdt.workflow.variants import ConfigError, check_built, meant, searched, variant_options

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


def left_over(
    search: str, entry: Mapping[str, Any], variants: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Whether a search is on a variant that was left out, and no variant wants its winner."""
    wanted = {searched(variant) for variant in variants.values()}
    return isinstance(entry["on"], str) and entry["on"] not in variants and search not in wanted


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
            raise ConfigError(f"searches.{search}: on: no variant '{on}'{meant(on, variants)}")
        on = variants[on]
    on = {"prompt": BASELINE} | dict(on)
    found, backend = find_detectors(), on["backend"]
    if backend not in found:
        raise ConfigError(f"searches.{search}: on: no backend '{backend}'{meant(backend, found)}")
    cls = found[backend]
    if not hasattr(cls, "score_prompts"):
        raise ConfigError(f"searches.{search}: backend '{backend}' is not asked in words")
    settings = {name: value for name, value in entry.items() if name != "on"}
    try:
        options = variant_options(on, cls, **resolve)
        if searched(options):
            raise ValueError("on: its prompt is searched for itself")
        check_built(cls, options, resolve["nano_folder"], resolve.get("adapters_folder", ""))
        kind: Any = SearchSettings
        check_options(kind, settings)
        if settings.get("start", 0) > len(resolve["prompts"]):
            raise ValueError(
                f"start is {settings['start']}, and there are {len(resolve['prompts'])} prompts"
            )
        chosen = SearchSettings(**settings)
        if chosen.kind == "local":
            # It looks at the folder or asks the hub, without torch.
            reach = import_module("speechdt_backends.qwen.reachable")
            reach.check_reachable(chosen.proposer_options["model"])
        return Checked(cls, on, options, chosen)
    except ValueError as error:
        raise ConfigError(f"searches.{search}: {error}") from error
