"""Published figures, each beside the variants that are of the published kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from speechdt.workflow.experiment import Experiment, Run

FIGURES = ("balanced_accuracy", "snr75_db", "dt75_ms")
"""What is published of a system, of which some have one figure alone."""


def beside(experiment: Experiment, path: Path) -> dict[str, dict[str, Any]]:
    """Return the published system that each variant is, where it is one.

    Parameters
    ----------
    experiment : Experiment
    path : Path
        ``rules/published.yaml``.

    Returns
    -------
    dict
        By variant: ``system`` and those of `FIGURES` that were published.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    systems = {}
    for name, variant in experiment.variants.items():
        run = experiment.runs.get(variant.runs[0])
        for entry in entries:
            if run is not None and is_published(run, entry):
                figures = {figure: entry[figure] for figure in FIGURES if figure in entry}
                systems[name] = {"system": entry["system"], **figures}
    return systems


def is_published(run: Run, entry: Mapping[str, Any]) -> bool:
    """Say whether a run is of a published kind: its detector, checkpoint, training and prompt."""
    options = entry.get("options", {})
    return (
        run.backend == entry["backend"]
        and run.options.get("model") == entry.get("model")
        and all(run.options.get(name) == value for name, value in options.items())
        and bool(run.options.get("adapter")) == entry["adapter"]
        and bool(run.search) == entry["searched"]
    )
