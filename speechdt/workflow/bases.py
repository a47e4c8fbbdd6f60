"""Runs by the base that they share: a checkpoint that one job reads for all of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from speechdt.detectors.shared_base import base_options, shares
from speechdt.workflow.experiment import Experiment, Run, Search


@dataclass(frozen=True)
class Base:
    """Runs that one job asks, one after the other.

    Attributes
    ----------
    name : str
        That of its first run.
    shared : bool
        Whether one job does all that these runs are asked. A run by itself has a base of its own
        that is not shared; parts of it score its cells, if that is asked for.
    runs : tuple of str
        Those with one adapter side by side.
    searches : tuple of str
        Searches on it, whose winners are scored.
    options : mapping
        Of its first run.
    gpus : int
        That a job claims.
    made : tuple of str
        Folders of models and adapters that the workflow makes for them.
    prompts : tuple of str
        Searches whose results are needed.
    """

    name: str
    shared: bool
    runs: tuple[str, ...]
    searches: tuple[str, ...]
    options: Mapping[str, Any]
    gpus: int
    made: tuple[str, ...]
    prompts: tuple[str, ...]


def bases(experiment: Experiment, *, together: bool) -> dict[str, Base]:
    """Return the bases of all runs with scores of their own, by name.

    Runs of the matrix share none with those that leave a corpus out, whose trainings they would
    wait for.

    Parameters
    ----------
    experiment : Experiment
    together : bool
        Whether any are shared.
    """
    grouped: dict[str, list[Run]] = {}
    for name in experiment.scored:
        run = experiment.runs[name]
        key = _key(run, run.left_out) if together else None
        grouped.setdefault(key or f"run {name}", []).append(run)
    on: dict[str, list[Search]] = {}
    for name in experiment.used_searches:
        search = experiment.searches[name]
        on.setdefault(_key(search, None) or "", []).append(search)
    all_bases = [_base(key, runs, on.get(key, [])) for key, runs in grouped.items()]
    return {base.name: base for base in all_bases}


def _key(record: Run | Search, left_out: str | None) -> str | None:
    """Return what runs on one base have in common; None of one that shares none."""
    if not shares(record.detector):
        return None
    loaded = base_options(record.detector, record.options)
    common = [record.backend, loaded, left_out is not None]
    return json.dumps(common, sort_keys=True, default=str)


def _base(key: str, runs: list[Run], searches: list[Search]) -> Base:
    ordered = sorted(runs, key=lambda run: (str(run.options.get("adapter") or ""), run.name))
    records: list[Run | Search] = [*ordered, *searches]
    prompts = [run.search for run in ordered if run.search] + [one.name for one in searches]
    return Base(
        name=ordered[0].name,
        shared=not key.startswith("run "),
        runs=tuple(run.name for run in ordered),
        searches=tuple(search.name for search in searches),
        options=ordered[0].options,
        gpus=max(record.gpus for record in records),
        made=tuple(dict.fromkeys(path for record in records for path in record.made)),
        prompts=tuple(dict.fromkeys(prompts)),
    )
