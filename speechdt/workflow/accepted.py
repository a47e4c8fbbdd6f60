"""Results that were accepted: made by other code, and marked as if the present one had made them.

For a change that is known to change no result. Only code is accepted: what has other settings, or
other files to come from, is made anew. The manifest says of each job what was accepted, until the
job runs again; the report shows it, and a release is refused.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from speechdt.errors import SpeechdtError
from speechdt.workflow.manifest import (
    Made,
    changed_files,
    entries,
    keep_code,
    lines,
    named,
    reason,
    write,
)
from speechdt.workflow.own_folder import replace_params

FILE = "accepted.json"
"""Beside the manifest: what was accepted, for whoever looks into the folder of results."""


def accept(folder: Path, jobs: Iterable[Made]) -> list[str]:
    """Mark the files of jobs whose code alone has changed as made by the present code.

    Parameters
    ----------
    folder : Path
        The manifest.
    jobs : iterable of Made

    Returns
    -------
    list of str
        What was marked, and what was not.
    """
    left: Counter[tuple[str, str]] = Counter()
    count = 0
    for job in jobs:
        if not job.entry["complete"] or not job.changed:
            continue
        if set(job.changed) != set(job.changed_code) or not isinstance(job.entry["params"], dict):
            left[job.entry["rule"], reason(folder, job)] += 1
            continue
        _mark(folder, job)
        count += 1
    changes = accepted(folder)
    note(folder, changes)
    marked = f"accepted: {count} job{'s' * (count != 1)} marked as made by the present code"
    return [
        marked,
        *(f"accepted: {line}" for line in changes),
        *(f"not accepted: {line}" for line in lines(left)),
    ]


def note(folder: Path, changes: Sequence[str]) -> None:
    """Keep what stands as accepted beside the manifest; no file if nothing does."""
    file = folder.parent / FILE
    text = json.dumps(changes, indent=1) + "\n"
    if not changes:
        file.unlink(missing_ok=True)
    elif not file.exists() or file.read_text() != text:
        file.write_text(text)


def refuse_accepted(folder: Path) -> None:
    """Refuse to publish what was accepted.

    Raises
    ------
    SpeechdtError
        Naming it, and what makes it anew.
    """
    if changes := accepted(folder):
        rules = sorted({line.partition(":")[0] for line in changes})
        raise SpeechdtError(
            f"no release of results that were accepted, not made ({'; '.join(changes)}): "
            f"run snakemake --forcerun {' '.join(rules)}"
        )


def accepted(folder: Path) -> list[str]:
    """Return what stands as accepted in a manifest, a line for each rule and change."""
    counted: Counter[tuple[str, str]] = Counter()
    for _, entry in entries(folder):
        files = entry.get("accepted")
        if files is not None:
            where = f"code changed in {named(files)}" if files else "code changed"
            counted[entry["rule"], where] += 1
    return lines(counted)


def _mark(folder: Path, job: Made) -> None:
    """Give a job's entry, and Snakemake's records of its files, the present hashes of code."""
    before, now = job.entry["params"], job.changed_code
    files = set(job.entry.get("accepted") or []) | set(changed_files(folder, job))
    replace_params(
        job.outputs, {before[name]: str(code) for name, code in now.items() if name in before}
    )
    for code in now.values():
        keep_code(folder, code)
    params = before | {name: str(code) for name, code in now.items()}
    write(job.file, job.entry | {"params": params, "accepted": sorted(files)})
