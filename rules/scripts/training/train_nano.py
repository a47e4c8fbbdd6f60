"""Nano model, trained or taken from the cache: models/nano/{architecture}/."""

from importlib import import_module
from pathlib import Path

import pandas as pd

from speechdt import find_detectors
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        find_detectors()  # makes the backends importable
        nano = import_module("speechdt_backends.qwen.nano.provide")
        folder = Path(snakemake.output[0])
        kept = folder.parents[2] / "cache" / "models"
        sources = pd.read_parquet(snakemake.input[0])
        trained = nano.provide(sources, nano.Recipe(**snakemake.params.recipe), folder, kept)
        log.info("%s", "trained" if trained else f"taken from {kept}")
        log.info("%s", (folder / "README.md").read_text())
