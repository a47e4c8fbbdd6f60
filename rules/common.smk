# Configuration, checked before any job starts, and the few functions that all rules share.

import os
import sys
from functools import cache, partial
from pathlib import Path

from snakemake.utils import min_version, validate

# This checkout's library, here and in every job, whichever environment the job runs in.
sys.path.insert(0, workflow.basedir)
os.environ |= {
    "PYTHONPATH": os.pathsep.join(
        [workflow.basedir, *filter(None, [os.getenv("PYTHONPATH")])]
    )
}

from speechdt.command_line import retype
from speechdt.configuration import (
    check_adapter,
    check_variant,
    chosen_model,
    is_nano,
    joint_label,
    model_label,
    searched,
    variant_detectors,
)
from speechdt.dependencies import code_hash
from speechdt.errors import SpeechdtError
from speechdt.grid import CROSSED, Grid
from speechdt.left_out import (
    corpora_left_out,
    left_out,
    trained_without,
    without,
)
from speechdt.matrix import check_ensembles, check_named, runs, trainings
from speechdt.options import has_options
from speechdt.plugins import find_detectors, source_files
from speechdt.readers import check as check_corpora
from speechdt.readers import name as corpus_name
from speechdt.schema import check_schema
from speechdt.search_configuration import check_search, check_unused, is_used

min_version("9.20")

SCHEMA = Path(workflow.basedir) / "rules" / "config.schema.yaml"


def checked(check, *arguments):
    """Return what a check returns, or stop with the one line that names the mistake."""
    try:
        return check(*arguments)
    except SpeechdtError as error:
        sys.exit(f"error: {error}")


retype(config, workflow.config_settings.config)

# In YAML 1.1 a bare `on` is true; the default quotes it, so that either form of a user wins.
if isinstance(config.get("searches"), dict):
    for entry in config["searches"].values():
        if isinstance(entry, dict) and True in entry:
            entry["on"] = entry.pop(True)

checked(check_schema, config, SCHEMA)
checked(check_named, config)
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


NANO_MODELS = workflow.pathvars.apply("<results>/models/nano")
TRAINED_ADAPTERS = workflow.pathvars.apply("<results>/adapters")
NAMED_ADAPTERS = {
    name: dict(entry) for name, entry in sorted(config["adapters"].items()) if entry
}
# One training for each seed, and one run of a variant for each training of its adapter.
ADAPTERS = checked(trainings, NAMED_ADAPTERS)
ENSEMBLES = checked(check_ensembles, VARIANTS)
RUNS = checked(runs, VARIANTS, NAMED_ADAPTERS)
SCORED = {
    run: entry for of_variant in RUNS.values() for run, entry in of_variant.items()
}
# Whatever of the matrix is trained here on train's clips, a language model or not.
TRAINED = sorted(
    {entry["adapter"] for entry in SCORED.values() if entry.get("adapter") in ADAPTERS}
)


def learned_elsewhere(entry):
    """Say what a variant has learned on all corpora, beside its adapter."""
    model = chosen_model(entry, entry["backend"], config["models"], NANO_MODELS)
    if is_nano(model, NANO_MODELS):
        return "its nano model"
    return "its prompt, which was searched for" if searched(entry) else ""


# What leaves a corpus out is one more run of its variant, on adapters of its own.
LEFT_OUT_CORPORA = checked(
    corpora_left_out, config["leave_one_out"], list(map(corpus_name, config["corpus"]))
)
LEFT_OUT = {
    run.name: run
    for run in checked(
        left_out,
        config["leave_one_out"]["variants"],
        LEFT_OUT_CORPORA,
        config["variants"],
        RUNS,
        ADAPTERS,
        learned_elsewhere,
    )
}
TRAINED_WITHOUT = trained_without(LEFT_OUT.values(), ADAPTERS)
ADAPTERS |= {name: ADAPTERS[of] for name, (of, _) in TRAINED_WITHOUT.items()}
SCORED |= {name: run.entry for name, run in LEFT_OUT.items() if run.entry}
TRAIN_SETS = {
    "train": None,
    **{without("train", corpus): corpus for corpus in LEFT_OUT_CORPORA},
}
DETECTORS = checked(variant_detectors, SCORED)
OPTIONS = {
    run: checked(
        partial(
            check_variant,
            models=config["models"],
            prompts=config["prompts"],
            nano_folder=NANO_MODELS,
            adapters=ADAPTERS,
            adapters_folder=TRAINED_ADAPTERS,
            searches=[name for name, entry in config["searches"].items() if entry],
        ),
        run,
        SCORED[run],
        DETECTORS[run],
    )
    for run in SCORED
}

# A search is on the first run of a variant, and its winner serves all runs.
SEARCHABLE = {variant: next(iter(of.values())) for variant, of in RUNS.items()}
check_one_search = partial(
    check_search,
    variants=SEARCHABLE,
    models=config["models"],
    prompts=config["prompts"],
    nano_folder=NANO_MODELS,
    adapters=ADAPTERS,
    adapters_folder=TRAINED_ADAPTERS,
)
NAMED_SEARCHES = {
    name: entry for name, entry in sorted(config["searches"].items()) if entry
}
USED_SEARCHES = {
    search: checked(check_one_search, search, entry)
    for search, entry in NAMED_SEARCHES.items()
    if is_used(search, entry, SEARCHABLE)
}
# Of these no table tells; each runs if one asks for its file.
unused, note = check_unused(
    {
        search: entry
        for search, entry in NAMED_SEARCHES.items()
        if search not in USED_SEARCHES
    },
    **check_one_search.keywords,
)
SEARCHES = USED_SEARCHES | unused
if note and workflow.is_main_process:
    print(note, file=sys.stderr)

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


def in_both_orders(run):
    """Say whether a run can be asked with its options exchanged; winners of searches always can."""
    prompt = OPTIONS[run].get("prompt")
    return hasattr(DETECTORS[run], "log_odds") and (
        not isinstance(prompt, str) or has_options(prompt)
    )


def runs_of(variant):
    """Return the runs that a variant's figures are means over; an ensemble is its own."""
    return list(RUNS.get(variant, {variant: {}}))


def runs_of_members(ensemble):
    """Return the runs of all members of an ensemble."""
    return [run for member in ENSEMBLES[ensemble] for run in runs_of(member)]


def scores_of(runs, split, cells):
    """Return the score files of all cells of the first run, then of the second, and so on."""
    return [
        f"<results>/scores/{run}/{split}/{cell}.parquet"
        for run in runs
        for cell in cells
    ]


def cells_of(split, cells):
    """Return cell files of a split."""
    return [f"<results>/trials/{split}/{cell}.parquet" for cell in cells]


def calibrations_of(runs):
    """Return the calibration of each run."""
    return [f"<results>/calibration/{run}.json" for run in runs]


# What is shown trial by trial is the first run of each variant.
FIRST_RUNS = [runs_of(variant)[0] for variant in VARIANTS]
ALL_RUNS = [run for variant in VARIANTS for run in runs_of(variant)]


def set_for_adapter(split, adapter):
    """Return what train or dev is called for an adapter, which may leave a corpus out."""
    _, corpus = TRAINED_WITHOUT.get(adapter, (adapter, None))
    return without(split, corpus) if corpus else split


def dev_of(run):
    """Return what dev is called for a run, which may leave a corpus out."""
    return without("dev", LEFT_OUT[run].corpus) if run in LEFT_OUT else "dev"


def scored_as(run):
    """Return the run whose scores a run has: what trains nothing needs no new ones."""
    return run if run in SCORED or run not in LEFT_OUT else LEFT_OUT[run].in_domain


def any_of(names):
    """Return the pattern of a wildcard that is one of some names, of which there may be none."""
    return "|".join(dict.fromkeys(names)) or "(?!)"


def label_of(variant):
    """Return what tables call the model of a variant."""
    of = runs_of_members(variant) if variant in ENSEMBLES else runs_of(variant)
    return joint_label(model_label(OPTIONS[run], NANO_MODELS) for run in of)


def options(wildcards):
    """Return what the detector of a run is built with."""
    return OPTIONS[wildcards.variant]


def made_here(options):
    """Return the models and adapters of a detector that the workflow makes itself."""
    named = (options.get(kind) for kind in ("model", "adapter"))
    folders = (f"{NANO_MODELS}/", f"{TRAINED_ADAPTERS}/")
    return [str(path) for path in named if str(path or "").startswith(folders)]


def own_models(wildcards):
    """Return the models and adapters of a run that the workflow makes itself."""
    return made_here(OPTIONS[wildcards.variant])


def own_search(wildcards):
    """Return the search that a variant's prompt is the winner of, if it is one."""
    search = searched(OPTIONS[wildcards.variant])
    return [f"<results>/prompts/{search}.json"] if search else []


def search_models(wildcards):
    """Return the models and adapters of a search that the workflow makes itself."""
    return made_here(SEARCHES[wildcards.search].options)


def search_gpus(wildcards):
    """Return the GPUs that a job of a search claims."""
    search = SEARCHES[wildcards.search]
    return claimed(search.entry, search.cls, search.options)


def search_options(wildcards):
    """Return what the detector of a search is built with; its prompt is the baseline."""
    return SEARCHES[wildcards.search].options


def search_backend(wildcards):
    """Return the backend of a search."""
    return SEARCHES[wildcards.search].entry["backend"]


def search_model(wildcards):
    """Return what tables call the model of a search."""
    return model_label(SEARCHES[wildcards.search].options, NANO_MODELS)


@cache
def code_of(cls):
    """Hash the source of a detector, whatever its plugin imports from beside itself included."""
    return code_hash(*source_files(cls))


def search_code(wildcards):
    """Hash the source of a search's detector."""
    return code_of(SEARCHES[wildcards.search].cls)


def claimed(entry, cls, options):
    """Return the GPUs that a job with a detector claims; a nano model needs none of its own."""
    return entry.get("gpus", 0 if is_nano(options, NANO_MODELS) else cls.gpus)


def gpus(wildcards):
    """Return the GPUs that a job of a run claims."""
    run = wildcards.variant
    return claimed(SCORED[run], DETECTORS[run], OPTIONS[run])


def base_model(wildcards):
    """Return the model that an adapter is trained on, if the workflow makes it itself."""
    settings = TRAININGS[wildcards.adapter][1]
    return [settings["model"]] if is_nano(settings, NANO_MODELS) else []


def adapter_gpus(wildcards):
    """Return the GPUs that the training of an adapter claims."""
    return claimed(ADAPTERS[wildcards.adapter], *TRAININGS[wildcards.adapter])


def code(script):
    """Hash a rule's script and the library modules it imports: an edit reruns the rule."""
    return code_hash(Path(workflow.basedir) / "rules" / "scripts" / script)


def of_checkout(*parts):
    """Return a file of this checkout as an input that is called the same wherever that lies."""
    return os.path.relpath(Path(workflow.basedir, *parts))


def templates(*names):
    """Return templates of the library as inputs: an edit of one rewrites what is made from it."""
    return [of_checkout("speechdt", "templates", name) for name in names]


def detector_code(wildcards):
    """Hash the source of a run's detector."""
    return code_of(DETECTORS[wildcards.variant])


wildcard_constraints:
    variant=any_of([*VARIANTS, *SCORED, *LEFT_OUT]),
    adapter=any_of(ADAPTERS),
    search=any_of(SEARCHES),
    split=any_of([*TRAIN_SETS, *CROSSED]),
