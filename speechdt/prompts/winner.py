"""Substitution of a search's winner for the prompt of a variant."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


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
