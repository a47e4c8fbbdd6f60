"""Provenance of the files of a run: the jobs behind them, from Snakemake's own records."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

from speechdt.files import walk

RECORDS = Path(".snakemake") / "metadata"
"""Folder in which Snakemake notes how each file was made, under its name in base 64."""


class Made(NamedTuple):
    """Origin of a file: rule, its inputs, and its parameters in the order of their names."""

    rule: str
    inputs: Sequence[str]
    parameters: Sequence[str]


def read_records(folder: Path = RECORDS) -> dict[str, Made]:
    """Return how each file was made, by its name; nothing if there is no such folder."""
    made = {}
    for entry in walk(folder) if folder.is_dir() else ():
        record = json.loads(Path(entry.path).read_text())
        # What is longer than a file's name may be is cut into folders.
        parts = Path(entry.path).relative_to(folder).parts
        name = "".join(part.removeprefix("@") for part in parts)
        if record.get("rule"):
            made[base64.urlsafe_b64decode(name).decode()] = Made(
                record["rule"], record.get("input") or [], record.get("params") or []
            )
    return made


def lineage(files: Iterable[str], made: Mapping[str, Made]) -> list[dict[str, Any]]:
    """Return the jobs that files came from, and those that their inputs came from, to the start.

    Parameters
    ----------
    files : iterable of str
    made : mapping of str to Made
        By file; a file that is not in it was there before the workflow.

    Returns
    -------
    list of dict
        rule, outputs, inputs and parameters of each job, jobs after those that they need.

    Raises
    ------
    graphlib.CycleError
        If files come from each other in a circle.
    """
    jobs: dict[tuple[Any, ...], dict[str, Any]] = {}
    waiting, visited = list(files), set()
    while waiting:
        file = waiting.pop()
        if file in visited:
            continue
        visited.add(file)
        if one := made.get(file):
            job = jobs.setdefault(_key(one), {**one._asdict(), "outputs": []})
            job["outputs"].append(file)
            waiting += one.inputs
    for job in jobs.values():
        job["outputs"].sort()
    return _in_order(jobs, made)


def _key(one: Made) -> tuple[Any, ...]:
    return one.rule, tuple(one.inputs), tuple(one.parameters)


def _in_order(
    jobs: Mapping[tuple[Any, ...], dict[str, Any]], made: Mapping[str, Made]
) -> list[dict[str, Any]]:
    """Sort jobs: each after those whose outputs it reads, else by rule and outputs."""
    needs = {
        key: {_key(made[file]) for file in job["inputs"] if file in made}
        for key, job in jobs.items()
    }
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    ordered: list[dict[str, Any]] = []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        ordered += sorted(
            (jobs[key] for key in ready), key=lambda job: (job["rule"], job["outputs"])
        )
    return ordered
