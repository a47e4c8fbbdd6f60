"""Gather a run in one folder that is ready to upload: release/."""

import base64
import json
import shutil
from pathlib import Path

import pandas as pd
import yaml

from speechdt.corpus.flags import heard, read_flagged
from speechdt.detectors.decisions import decided_by
from speechdt.environment import revision, versions
from speechdt.files import walk
from speechdt.reporting.pages import release
from speechdt.reporting.tables.formatting import model_notes
from speechdt.reporting.tables.reading import read_table
from speechdt.trials.cells import cell_files
from speechdt.trials.grid import CROSSED
from speechdt.workflow.jobs import logged

RECORDS = Path(".snakemake") / "metadata"
"""Where Snakemake notes how each file was made, under its name in base 64."""


def read_records(folder):
    """Return how each file was made, by its name."""
    made = {}
    for entry in walk(folder) if folder.is_dir() else ():
        record = json.loads(Path(entry.path).read_text())
        # What is longer than a file's name may be is cut into folders.
        parts = Path(entry.path).relative_to(folder).parts
        name = "".join(part.removeprefix("@") for part in parts)
        if record.get("rule"):
            made[base64.urlsafe_b64decode(name).decode()] = release.Made(
                record["rule"], record.get("input") or [], record.get("params") or []
            )
    return made


def copy(origin, folder, path):
    """Copy a file, or a folder with all its files, and return what was copied."""
    origin, target = Path(origin), folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        shutil.copytree(origin, target)
        files = [Path(entry.path).relative_to(target) for entry in walk(target)]
        return [release.Copied(f"{path}/{file}", str(origin / file)) for file in sorted(files)]
    shutil.copyfile(origin, target)
    return [release.Copied(str(path), str(origin))]


def copy_run(given, folder, root):
    """Copy the files of the run, and return what was copied."""
    copied = []
    for file in (file for cell in given.cells for file in cell_files(cell)):
        copied += copy(file, folder, f"dataset/{file.parent.name}/{file.name}")
    for name in ("adapters", "prompts", "calibration", "tables", "figures"):
        for path in map(Path, given[name]):
            copied += copy(path, folder, f"{name}/{path.name}")
    for card in map(Path, given.cards):  # with what the adapter does on test
        copied += copy(card, folder, f"adapters/{card.stem}/README.md")
    for path in map(Path, given.pages):
        copied += copy(path, folder, path.name)
    for path in map(Path, given.flags):
        copied += copy(path, folder, f"corpus/{path.name}")
    copied += copy(given.numbers, folder, "numbers.csv")
    for name in ("requirements.lock", "CITATION.cff", "LICENSE"):
        if (root / name).exists():
            shutil.copyfile(root / name, folder / name)
            copied.append(release.Copied(name, name))
    return copied


def write_scores(given, runs, folder):
    """Write what every run of every variant said to every trial of dev and test."""
    folder.mkdir()
    for split in CROSSED:
        cells = [path for path in given.cells if Path(path).parent.name == split]
        scores = [path for path in given.scores if Path(path).parent.name == split]
        decided = decided_by({run: [run] for run in runs}, cells, scores, given.calibration)
        table = release.trial_scores(decided)
        if given.flags:
            table["flagged"] = heard(table, read_flagged(given.flags))
        table.to_parquet(folder / f"{split}.parquet", index=False)


def write_card(given, params, folder):
    """Take the card of the dataset along, and the attributions."""
    shutil.copyfile(given.dataset_card, folder / "README.md")
    sources = pd.read_parquet(given.sources)
    folders = [Path(corpus["path"]) for corpus in params.config["corpus"] if "path" in corpus]
    attributions = [path / "ATTRIBUTION.md" for path in folders]
    texts = [path.read_text(encoding="utf-8") for path in attributions if path.exists()]
    if texts:
        (folder / "ATTRIBUTION.md").write_text("\n\n".join(texts), encoding="utf-8")
    return {"licences": "licence" in sources, "attribution": bool(texts)}


def main(given, params, folder, log):
    """Write the folder, and return how many files it holds."""
    root = Path(given.citation).parent
    folder.mkdir(parents=True)
    made = read_records(RECORDS)
    if not made:
        log.warning("%s holds no records: rules and inputs stay empty", RECORDS)
    copied = copy_run(given, folder, root)
    write_scores(given, params.runs, folder / "scores")
    facts = write_card(given, params, folder / "dataset")
    plain = json.loads(json.dumps(params.config))
    (folder / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
    (folder / "versions.json").write_text(json.dumps(versions(), indent=2))
    jobs = release.lineage([*given.tables, *given.figures], made)
    (folder / "provenance.json").write_text(json.dumps(jobs, indent=1))
    citation = yaml.safe_load(Path(given.citation).read_text())
    facts |= {"title": citation["title"], "version": str(citation.get("version", ""))}
    facts |= {"revision": revision(root), "adapters": [Path(path).name for path in given.adapters]}
    facts |= {"prompts": bool(given.prompts), "flags": bool(given.flags)}
    (matrix,) = [path for path in given.tables if Path(path).name == "matrix.csv"]
    text = release.readme(notes=model_notes(read_table(matrix)), **facts)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return release.seal(folder, copied, made)


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        out = Path(snakemake.output[0])
        count = main(snakemake.input, snakemake.params, out, log)
        log.info("%s: %d files", out, count)
