"""A run as one folder to publish: what it holds, its checksums, and where everything came from."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from speechdt.files import walk
from speechdt.reporting.pages.clip_player import TEMPLATES

SUMS, MANIFEST = "SHA256SUMS", "manifest.csv"
"""Files that are written last, and stand in neither themselves."""


class Made(NamedTuple):
    """How a file was made: rule, its inputs, and its parameters in the order of their names."""

    rule: str
    inputs: Sequence[str]
    parameters: Sequence[str]


class Copied(NamedTuple):
    """A file of the release, relative to its folder, and the file that it was copied from."""

    path: str
    origin: str


def lineage(files: Iterable[str], made: Mapping[str, Made]) -> list[dict[str, Any]]:
    """Return the jobs that files came from, and those that their inputs came from, to the start.

    Parameters
    ----------
    files : iterable of str
    made : mapping of str to Made
        By file; what is not in it was there before the workflow.

    Returns
    -------
    list of dict
        rule, outputs, inputs and parameters of each job, jobs after those that they need.
    """
    jobs: dict[tuple[Any, ...], dict[str, Any]] = {}
    waiting, seen = list(files), set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        if one := made.get(file):
            key = (one.rule, tuple(one.inputs), tuple(one.parameters))
            job = jobs.setdefault(key, {**one._asdict(), "outputs": []})
            job["outputs"].append(file)
            waiting += one.inputs
    return _in_order(list(jobs.values()))


def _in_order(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort jobs so that each stands after those whose outputs it reads."""
    for job in jobs:
        job["outputs"].sort()
    left = sorted(jobs, key=lambda job: (job["rule"], job["outputs"]))
    ordered: list[dict[str, Any]] = []
    while left:
        unmade = {file for job in left for file in job["outputs"]}
        ready = [job for job in left if not unmade & set(job["inputs"])]
        if not ready:
            raise ValueError("files come from each other in a circle")
        ordered += ready
        left = [job for job in left if job not in ready]
    return ordered


def trial_scores(decided: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what every variant said to every trial, one row a trial.

    Parameters
    ----------
    decided : mapping of str to DataFrame
        From `decisions.decided_trials`, by variant.

    Returns
    -------
    DataFrame
        The columns of a cell file without audio; of each variant ``p_speech_``, ``p_platt_`` and
        ``decided_{variant}``.
    """
    tables = list(decided.items())
    learned = ["p_speech", "p_temperature", "p_platt", "decided", "decided_far10", "speech", "run"]
    scores = tables[0][1].drop(columns=learned, errors="ignore")
    for variant, table in tables:
        kept = ["p_speech", "p_platt", "decided"]
        named = table[["trial_id", *kept]].rename(columns={k: f"{k}_{variant}" for k in kept})
        scores = scores.merge(named, on="trial_id", validate="1:1")
    return scores


def seal(folder: Path, copied: Sequence[Copied], made: Mapping[str, Made]) -> int:
    """Write the manifest and the checksums of a finished folder.

    Parameters
    ----------
    folder : Path
    copied : sequence of Copied
        Where its files came from; those that are not listed were written for the release.
    made : mapping of str to Made
        By origin.

    Returns
    -------
    int
        Number of files.
    """
    origins = {one.path: one.origin for one in copied}
    files = sorted(Path(entry.path).relative_to(folder).as_posix() for entry in walk(folder))
    rows = []
    for path in files:
        origin = origins.get(path, "")
        maker = _maker(origin, made)
        rows.append(
            {
                "path": path,
                "bytes": (folder / path).stat().st_size,
                "sha256": sha256(folder / path),
                "origin": origin,
                "rule": maker.rule if maker else "",
                "inputs": len(maker.inputs) if maker else 0,
            }
        )
    pd.DataFrame(rows).to_csv(folder / MANIFEST, index=False)
    sums = [f"{row['sha256']}  {row['path']}" for row in rows]
    sums.append(f"{sha256(folder / MANIFEST)}  {MANIFEST}")
    (folder / SUMS).write_text("\n".join([*sums, ""]), encoding="utf-8")
    return len(rows)


def _maker(origin: str, made: Mapping[str, Made]) -> Made | None:
    """Return how a file was made, or the folder that it lies in."""
    path = Path(origin)
    return next((made[str(at)] for at in (path, *path.parents) if str(at) in made), None)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def readme(**facts: Any) -> str:
    """Return README.md of the folder; `facts` are what its template names."""
    text = _template("release.md.j2").render(**facts)
    return re.sub(r"\n{3,}", "\n\n", text)


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
