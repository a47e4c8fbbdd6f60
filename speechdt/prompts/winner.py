"""Substitution of a search's winner for the prompt of a variant, and how its run then hears."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from speechdt.detectors.hearing import Hearing
from speechdt.detectors.plugins import find_detectors


def with_prompt(options: Mapping[str, Any], searches: Sequence[Path | str]) -> dict[str, Any]:
    """Return a detector's options with the winning prompt of its search, if it has one.

    Parameters
    ----------
    options : mapping
    searches : sequence of paths
        ``prompts/{search}.json`` of the search that the prompt is the winner of; or none.
    """
    if not searches:
        return dict(options)
    (path,) = searches
    search = json.loads(Path(path).read_text())
    return dict(options) | {"prompt": search["winner"]["prompt"]}


def hearing_of(params: Any, inputs: Any) -> Hearing:
    """Return how the run of a job hears: as configured, or as searches and dev have chosen.

    Parameters
    ----------
    params : object
        Of a rule that asks one run: backend, options, presentation.
    inputs : object
        Of the same rule: search and choice, files or none.
    """
    options = with_prompt(params.options, inputs.search)
    cls = find_detectors()[params.backend]
    return Hearing.of_run(params.backend, cls, options, params.presentation, inputs.choice)
