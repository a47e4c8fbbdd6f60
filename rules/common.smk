# Configuration, checked before any job starts, and the few functions that all rules share.

import os
import sys
from functools import partial
from pathlib import Path

from snakemake.utils import min_version, validate

# This checkout's library, here and in every job, whichever environment the job runs in.
sys.path.insert(0, workflow.basedir)
os.environ |= {
    "PYTHONPATH": os.pathsep.join(
        [workflow.basedir, *filter(None, [os.getenv("PYTHONPATH")])]
    )
}

from speechdt.configuration import (
    check_adapter,
    check_schema,
    check_variant,
    model_label,
    variant_detectors,
)
from speechdt.dependencies import code_hash
from speechdt.errors import SpeechdtError
from speechdt.grid import CROSSED, Grid
from speechdt.plugins import source_files
from speechdt.readers import check as check_corpora

min_version("9.20")

SCHEMA = Path(workflow.basedir) / "rules" / "config.schema.yaml"


def checked(check, *arguments):
    """Return what a check returns, or stop with the one line that names the mistake."""
    try:
        return check(*arguments)
    except SpeechdtError as error:
        sys.exit(f"error: {error}")


checked(check_schema, config, SCHEMA)
validate(config, SCHEMA)  # fills in the defaults


if problems := check_corpora(config["corpus"]):
    sys.exit("\n".join(f"error: {problem}" for problem in problems))


def in_order(value):
    """Sort keys at all depths: Snakemake takes the same parameters in another order for new."""
    if not isinstance(value, dict):
        return value
    return {key: in_order(value[key]) for key in sorted(value)}


for key in sorted(config):
    config[key] = in_order(config.pop(key))


pathvars:
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


GRID = Grid(**config["grid"])
CELLS = [cell.name for cell in GRID.cells]
NOISY = [cell.name for cell in GRID.noisy]
CATCH = [cell.name for cell in GRID.cells if cell.kind == "catch"]
CLEAN = [cell.name for cell in GRID.cells if cell.kind == "clean"]

# By name: merged configuration files come in no order that anyone chose.
VARIANTS = {
    name: dict(entry) for name, entry in sorted(config["variants"].items()) if entry
}
ENVIRONMENT = "../envs/speechdt.yaml"


DETECTORS = checked(variant_detectors, VARIANTS)
NANO_MODELS = workflow.pathvars.apply("<results>/models/nano")
TRAINED_ADAPTERS = workflow.pathvars.apply("<results>/adapters")
ADAPTERS = {
    name: dict(entry) for name, entry in sorted(config["adapters"].items()) if entry
}
OPTIONS = {
    variant: checked(
        partial(
            check_variant,
            models=config["models"],
            prompts=config["prompts"],
            nano_folder=NANO_MODELS,
            adapters=ADAPTERS,
            adapters_folder=TRAINED_ADAPTERS,
        ),
        variant,
        VARIANTS[variant],
        DETECTORS[variant],
    )
    for variant in VARIANTS
}

TRAININGS = {
    adapter: checked(
        partial(
            check_adapter,
            models=config["models"],
            prompts=config["prompts"],
            nano_folder=NANO_MODELS,
            seed=config["seed"],
        ),
        adapter,
        ADAPTERS[adapter],
    )
    for adapter in ADAPTERS
}


def options(wildcards):
    """Return what a variant's detector is built with."""
    return OPTIONS[wildcards.variant]


def own_models(wildcards):
    """Return the models and adapters of a variant that the workflow makes itself."""
    named = (OPTIONS[wildcards.variant].get(kind) for kind in ("model", "adapter"))
    made_here = (f"{NANO_MODELS}/", f"{TRAINED_ADAPTERS}/")
    return [str(path) for path in named if str(path or "").startswith(made_here)]


def gpus(wildcards):
    """Return the GPUs that a job of a variant claims."""
    return VARIANTS[wildcards.variant].get("gpus", DETECTORS[wildcards.variant].gpus)


def base_model(wildcards):
    """Return the model that an adapter is trained on, if the workflow makes it itself."""
    model = TRAININGS[wildcards.adapter][1].get("model", "")
    return [model] if model.startswith(f"{NANO_MODELS}/") else []


def adapter_gpus(wildcards):
    """Return the GPUs that the training of an adapter claims."""
    return ADAPTERS[wildcards.adapter].get("gpus", TRAININGS[wildcards.adapter][0].gpus)


def code(script):
    """Hash a rule's script and the library modules it imports: an edit reruns the rule."""
    return code_hash(Path(workflow.basedir) / "rules" / "scripts" / script)


def detector_code(wildcards):
    """Hash the source of a variant's detector."""
    return code_hash(*source_files(DETECTORS[wildcards.variant]))


wildcard_constraints:
    variant="|".join(VARIANTS),
    split="|".join(("train", *CROSSED)),
