"""Hygiene checks of the configuration, resolved before any job starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from speechdt.audio.presentation import STORED, Presentation
from speechdt.corpus.readers.tree import rows
from speechdt.corpus.sources import CorpusError
from speechdt.detectors.contract import Detector
from speechdt.detectors.plugins import find_detectors
from speechdt.workflow.variants import ConfigError, check_built, hint, is_nano, variant_options

NOT_OPTIONS = ("nonspeech_above", "speech_below")
"""Keys of a check that are none of its detector's."""
MARK = "source_id"
"""Column that a file of marks must have."""


class Check(NamedTuple):
    """A hygiene check.

    Attributes
    ----------
    backend : str
    detector : type
        Its detector class.
    options : dict
        What the detector is built with.
    thresholds : dict
        nonspeech_above and speech_below, see `hygiene.Thresholds`.
    presentation : dict
        ``level`` and ``container``: at which level it hears recordings.
    """

    backend: str
    detector: type[Detector]
    options: dict[str, Any]
    thresholds: dict[str, float]
    presentation: dict[str, Any]


def read_checks(
    hygiene: Mapping[str, Any],
    models: Mapping[str, Any],
    prompts: Mapping[str, Any],
    nano_folder: str,
) -> dict[str, Check]:
    """Return the checks of a configuration's ``hygiene``, by name.

    Parameters
    ----------
    hygiene : mapping
        checks, flag_by, remove.
    models, prompts, nano_folder
        As for `configuration.variant_options`.

    Raises
    ------
    ConfigError
        Naming the check or key that is wrong.
    """
    checks = {
        name: _read(name, entry, models, prompts, nano_folder)
        for name, entry in sorted(hygiene["checks"].items())
        if entry
    }
    chosen = hygiene["flag_by"]
    if chosen is not None and chosen not in checks:
        names = ", ".join(checks) or "none"
        raise ConfigError(f"hygiene.flag_by: no check '{chosen}'{hint(chosen, checks)}; {names}")
    if chosen is None and hygiene["remove"]:
        raise ConfigError("hygiene.remove: nothing is flagged; name a check in hygiene.flag_by")
    return checks


def _read(
    name: str,
    entry: Mapping[str, Any],
    models: Mapping[str, Any],
    prompts: Mapping[str, Any],
    nano_folder: str,
) -> Check:
    detectors, backend = find_detectors(), entry["backend"]
    where = f"hygiene.checks.{name}"
    if backend not in detectors:
        names = ", ".join(detectors)
        raise ConfigError(f"{where}: no backend '{backend}'{hint(backend, detectors)}; {names}")
    if "gpus" in entry:
        raise ConfigError(f"{where}: unknown key 'gpus'; a check claims those of its detector")
    for key in ("choose", "container"):
        if key in entry:
            raise ConfigError(f"{where}: unknown key '{key}'; a check hears recordings, not clips")
    own = {key: value for key, value in entry.items() if key not in NOT_OPTIONS}
    try:
        options = variant_options(own, detectors[backend], models, prompts, nano_folder)
        check_built(detectors[backend], options, nano_folder)
    except ValueError as error:
        raise ConfigError(f"{where}: backend '{backend}': {error}") from error
    if is_nano(options, nano_folder):
        raise ConfigError(
            f"{where}: backend '{backend}' is a nano model, which is trained on the recordings "
            "that hygiene leaves; name a checkpoint of its own"
        )
    thresholds = {key: float(entry[key]) for key in NOT_OPTIONS}
    presentation = Presentation.of(entry.get("level", STORED)).to_dict()
    return Check(backend, detectors[backend], options, thresholds, presentation)


def check_marks(files: list[str]) -> list[str]:
    """Return the files of marks, or say which one is missing or no table of marks."""
    for file in files:
        if not Path(file).is_file():
            raise ConfigError(f"exclude: there is no file {file}")
        try:
            next(rows(Path(file), (MARK,)), None)  # its first lines; read_marks reads all
        except CorpusError as error:
            raise ConfigError(f"exclude: {error}") from error
    return files
