"""Ready-made detectors among the variants of an experiment, and pairs of versions of one."""

from collections.abc import Collection, Mapping
from typing import Any

from speechdt.workflow.experiment import Experiment
from speechdt.workflow.variants import RANDOM_WEIGHTS


def ready_made(experiment: Experiment) -> list[str]:
    """Return the variants with a detector that learned nothing here but threshold and the like.

    Neither ensembles nor stand-ins (nano models, random weights), nor what is trained here.
    """
    names = []
    for name, variant in experiment.variants.items():
        own = [experiment.runs[run] for run in variant.runs if run in experiment.runs]
        learned = any(run.adapter or run.made for run in own)
        if own and not learned and variant.label != RANDOM_WEIGHTS:
            names.append(name)
    return names


def vendor_thresholds(experiment: Experiment) -> dict[str, float]:
    """Return the threshold that each variant's vendor has by default, where there is one."""
    of_class = {
        name: getattr(experiment.runs[variant.runs[0]].detector, "vendor_threshold", None)
        for name, variant in experiment.variants.items()
        if variant.runs[0] in experiment.runs
    }
    return {name: float(at) for name, at in of_class.items() if at is not None}


def version_pairs(
    comparisons: Mapping[str, Any], variants: Collection[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the pairs of versions to compare, and a line for each that lacks a variant.

    Parameters
    ----------
    comparisons : mapping
        Of the configuration; ``versions`` lists the pairs.
    variants : collection of str
        Those that exist.
    """
    listed = [(str(one), str(other)) for one, other in comparisons["versions"]]
    present = [pair for pair in listed if set(pair) <= set(variants)]
    notes = [
        f"comparisons.versions: {one} and {other} are not compared: no variant "
        f"{' and no '.join(name for name in (one, other) if name not in variants)}"
        for one, other in listed
        if (one, other) not in present
    ]
    return present, notes
