# One experiment, checked before any job starts, and what needs Snakemake's own objects.

import os
import sys
from pathlib import Path

from snakemake.utils import min_version, validate

# This checkout's library, here and in every job, whichever environment the job runs in; an
# installed one, where the rules are read from a repository elsewhere.
HERE = Path(str(workflow.current_basedir)).parent
if (HERE / "speechdt").is_dir():
    sys.path.insert(0, str(HERE))
    first = [str(HERE), *filter(None, [os.getenv("PYTHONPATH")])]
    os.environ |= {"PYTHONPATH": os.pathsep.join(first)}

from speechdt.detectors.plugins import find_detectors
from speechdt.errors import SpeechdtError
from speechdt.reporting.figures.catalogue import FIGURES, FORMATS
from speechdt.reporting.tables.criteria import criteria_of
from speechdt.reporting.tables.training import SETTINGS as ADAPTER_SETTINGS
from speechdt.trials.grid import CROSSED
from speechdt.workflow.bases import bases
from speechdt.workflow.checkout import Checkout, checkout_of, detector_code, field
from speechdt.workflow.conditions import plan
from speechdt.workflow.criteria import read_criteria
from speechdt.workflow.paths import check_interpreter
from speechdt.workflow.products import Products
from speechdt.workflow.ready_made import vendor_thresholds
from speechdt.workflow.resolution import resolve
from speechdt.workflow.settings import checked, early_notes, with_defaults

min_version("9.20")


pathvars:
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


ENVIRONMENT = "../envs/speechdt.yaml"
checkout = Checkout(checkout_of(HERE))
SCHEMA = checkout.folder / "rules" / "config.schema.yaml"

if not workflow.is_main_process:  # a job, perhaps on a node without a network
    os.environ |= {"SPEECHDT_HUB_ASKED": "1"}
if not workflow.is_main_process or workflow.resource_settings.nodes:
    os.environ |= {"SPEECHDT_MEMORY_ELSEWHERE": "1"}  # what is free here says nothing

try:
    check_interpreter(sys.executable)
    if workflow.modifier.skip_configfile:  # a module's, which says what it would change
        config = with_defaults(config, checkout.folder / "workflow_config.yaml")
    settings = checked(config, workflow.config_settings.config, SCHEMA, validate)
    workflow.pathvars.update(type(workflow.pathvars).from_config(settings))
    settings["corpus"] = checkout.with_corpora(settings["corpus"])
    results = workflow.pathvars.apply("<results>")
    experiment = resolve(settings, results, ADAPTER_SETTINGS)
    played = plan(experiment)
    on_base = bases(experiment, together=settings["jobs"]["together"])
    criteria = read_criteria(settings["verdict"], settings["variants"], criteria_of)
except SpeechdtError as error:
    sys.exit(f"error: {error}")

for note in [*early_notes(config), *experiment.notes] * workflow.is_main_process:
    print(note, file=sys.stderr)

products = Products(experiment, {n: f.tables for n, f in FIGURES.items()}, FORMATS)
CELLS = experiment.grid.names()
CURVE, CATCH, CLEAN = map(experiment.grid.names, ("snr", "catch", "clean"))
NOISY = [cell.name for cell in experiment.grid.noisy]  # the plan's: all but curves


of_variant = field(experiment.variants, "variant")
of_run = field(experiment.runs, "run")
of_training = field(experiment.trainings, "adapter")
of_search = field(experiment.searches, "search")
of_check = field(experiment.checks, "check")


def code_of(of_record, training=False):
    """Return what hashes what a wildcard's detector runs when it scores, or is trained."""
    of = of_record("detector")
    return lambda wildcards: detector_code(of(wildcards), training=training)


def any_of(names):
    """Return the pattern of a wildcard that is one of some names, of which there may be none."""
    return "|".join(dict.fromkeys(names)) or "(?!)"


wildcard_constraints:
    run=any_of([*experiment.runs, *experiment.ensembles]),
    variant=any_of(experiment.variants),
    ensemble=any_of(experiment.ensembles),
    adapter=any_of(experiment.trainings),
    search=any_of(experiment.searches),
    check=any_of(experiment.checks),
    base=any_of(on_base),
    split=any_of([*experiment.train_sets, *CROSSED]),
