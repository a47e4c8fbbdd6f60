"""The release: a run as one folder to publish, with a manifest, checksums and provenance."""

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd
import yaml

from speechdt.corpus.flags import involving, read_flagged
from speechdt.files import walk
from speechdt.reporting.pages.environment import template
from speechdt.reporting.pages.release_provenance import Made, lineage
from speechdt.reporting.tables.formatting import model_notes
from speechdt.reporting.tables.names import legend, renamed
from speechdt.reporting.tables.reading import read_table
from speechdt.trials.cells import cell_files

SUMS, MANIFEST = "SHA256SUMS", "manifest.csv"
"""Files that are written last, and stand in neither themselves."""
FOLDERS = ("adapters", "prompts", "calibration", "tables", "figures")
"""Folders of the release whose files have the names that they have in the run."""
OF_CHECKOUT = ("requirements.lock", "CITATION.cff", "LICENSE")
"""Files that are taken from the checkout, if they are there."""


class Copied(NamedTuple):
    """A file of the release, relative to its folder, and the file that it was copied from."""

    path: str
    origin: str


@dataclass(frozen=True)
class RunFiles:
    """Files of a finished run that its release takes along.

    Attributes
    ----------
    cells : sequence of paths
        Cell files of all splits.
    calibration, prompts, tables, figures, pages : sequences of paths
        The last may hold folders.
    adapters, cards : sequences of paths
        Folders of the adapters, and their model cards with figures on test.
    flags : sequence of paths
        ``corpus/flags.parquet``, or none.
    dataset_card, sources, numbers, citation : path
        ``trials/README.md``, ``corpus/sources.parquet``, ``paper/numbers.csv``, and
        ``CITATION.cff`` of the checkout.
    """

    cells: Sequence[Path | str]
    calibration: Sequence[Path | str]
    prompts: Sequence[Path | str]
    tables: Sequence[Path | str]
    figures: Sequence[Path | str]
    pages: Sequence[Path | str]
    adapters: Sequence[Path | str]
    cards: Sequence[Path | str]
    flags: Sequence[Path | str]
    dataset_card: Path | str
    sources: Path | str
    numbers: Path | str
    citation: Path | str

    @property
    def checkout(self) -> Path:
        """Folder of the checkout."""
        return Path(self.citation).parent


def write(
    folder: Path,
    files: RunFiles,
    decided: Iterable[tuple[str, Mapping[str, pd.DataFrame]]],
    *,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
    revision: str,
    made: Mapping[str, Made],
    names: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Write the folder.

    Parameters
    ----------
    folder : Path
        Is made.
    files : RunFiles
    decided : iterable of (str, mapping)
        Of dev and of test what `decisions.decided_by` returns, by run; one split is in memory at
        a time if this is a generator.
    config, versions, revision, names
        As of `report.section.Results`.
    made : mapping of str to Made
        From `release_provenance.read_records`.

    Returns
    -------
    int
        Number of files.
    """
    folder.mkdir(parents=True)
    copied = _copy_run(files, folder)
    _write_scores(decided, files.flags, folder / "scores")
    shutil.copyfile(files.dataset_card, folder / "dataset" / "README.md")
    attribution = _write_attribution(config, folder / "dataset" / "ATTRIBUTION.md")
    plain = json.loads(json.dumps(config))
    (folder / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
    (folder / "versions.json").write_text(json.dumps(versions, indent=2))
    jobs = lineage(map(str, [*files.tables, *files.figures]), made)
    (folder / "provenance.json").write_text(json.dumps(jobs, indent=1))
    text = readme(files, revision=revision, attribution=attribution, names=names)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return seal(folder, copied, made)


def _copy_run(files: RunFiles, folder: Path) -> list[Copied]:
    copied = []
    for file in (file for cell in files.cells for file in cell_files(cell)):
        copied += copy(file, folder, f"dataset/{file.parent.name}/{file.name}")
    for name in FOLDERS:
        for path in map(Path, getattr(files, name)):
            copied += copy(path, folder, f"{name}/{path.name}")
    for card in map(Path, files.cards):  # over that of training, which knows nothing of test
        copied += copy(card, folder, f"adapters/{card.stem}/README.md")
    for path in map(Path, files.pages):
        copied += copy(path, folder, path.name)
    for path in map(Path, files.flags):
        copied += copy(path, folder, f"corpus/{path.name}")
    copied += copy(files.numbers, folder, "numbers.csv")
    for name in OF_CHECKOUT:
        if (files.checkout / name).exists():
            shutil.copyfile(files.checkout / name, folder / name)
            copied.append(Copied(name, name))
    return copied


def copy(origin: Path | str, folder: Path, path: str) -> list[Copied]:
    """Copy a file, or a folder with all its files, to a path below the release's folder."""
    origin, target = Path(origin), folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        shutil.copytree(origin, target)
        files = [Path(entry.path).relative_to(target) for entry in walk(target)]
        return [Copied(f"{path}/{file}", str(origin / file)) for file in sorted(files)]
    shutil.copyfile(origin, target)
    return [Copied(path, str(origin))]


def _write_scores(
    decided: Iterable[tuple[str, Mapping[str, pd.DataFrame]]],
    flags: Sequence[Path | str],
    folder: Path,
) -> None:
    folder.mkdir()
    for split, of_runs in decided:
        table = trial_scores(of_runs)
        if flags:
            table["flagged"] = involving(table, read_flagged(flags))
        table.to_parquet(folder / f"{split}.parquet", index=False)


def _write_attribution(config: Mapping[str, Any], file: Path) -> bool:
    """Put the attributions of all corpora into one file; tell whether there are any."""
    folders = [Path(corpus["path"]) for corpus in config["corpus"] if "path" in corpus]
    attributions = [path / "ATTRIBUTION.md" for path in folders]
    texts = [path.read_text(encoding="utf-8") for path in attributions if path.exists()]
    if texts:
        file.write_text("\n\n".join(texts), encoding="utf-8")
    return bool(texts)


def trial_scores(decided: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the scores and decisions of every run on every trial, one row a trial.

    Parameters
    ----------
    decided : mapping of str to DataFrame
        From `decisions.decided_trials`, by run.

    Returns
    -------
    DataFrame
        The columns of a cell file without audio; of each run ``p_speech_``, ``p_platt_`` and
        ``decided_{run}``.
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


def readme(files: RunFiles, *, revision: str, attribution: bool, names: Mapping[str, str]) -> str:
    """Return README.md of the folder.

    Parameters
    ----------
    files : RunFiles
    revision : str
        Git commit of the code, or empty.
    attribution : bool
        Whether the corpora ask for attributions.
    names : mapping of str to str
        What readers call the variants.
    """
    citation = yaml.safe_load(Path(files.citation).read_text())
    (matrix,) = [path for path in files.tables if Path(path).name == "matrix.csv"]
    text = template("release.md.j2").render(
        title=citation["title"],
        version=str(citation.get("version", "")),
        notes=model_notes(renamed(read_table(matrix), names)),
        keys=legend(names),
        revision=revision,
        adapters=[Path(path).name for path in files.adapters],
        prompts=bool(files.prompts),
        flags=bool(files.flags),
        licences="licence" in pd.read_parquet(files.sources),
        attribution=attribution,
    )
    return re.sub(r"\n{3,}", "\n\n", text)
