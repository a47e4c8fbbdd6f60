# what runs on one base have in common: jobs that ask them, and one that times them

from speechdt.trials.foils import foil_conditions
from speechdt.workflow.needs import TORCH_MB, base_memory

FOILS = ["noisy", "clean"]
HEARING = ("backend", "options", "presentation")
of_base = field(on_base, "base")
# The base of each run and search that has one.
BASE_OF = {
    "run": {run: base for base in on_base.values() for run in base.runs},
    "search": {search: base for base in on_base.values() for search in base.searches},
}
SHARED = [name for name, base in on_base.items() if base.shared]
# Questions beside those of the scores are a job of their own, so that a GPU works on while curves are
# fitted on the CPU. Where the CPU does both, that gains nothing.
APART = [name for name in SHARED if on_base[name].gpus]


def base_of(wildcards):
    """Return the base of a run or search; None of one that shares none."""
    named = dict(wildcards.items())
    kind = "run" if "run" in named else "search"
    base = BASE_OF[kind].get(named[kind])
    return base if base and base.shared else None


def parts_on(base, folder="score"):
    """Return what says that all on a base are asked; in `further`, beside their scores."""
    pattern = f"<results>/parts/{folder}/{{base}}/{{scatteritem}}.txt"
    return gather.score(pattern, base=base.name)


def winners_on_base(wildcards):
    """Return the results of the searches whose prompts runs on a base need."""
    return expand(
        "<results>/prompts/{search}.json", search=of_base("prompts")(wildcards)
    )


def choices_on_base(wildcards):
    """Return what dev chose for runs on a base."""
    return products.choices(of_base("runs")(wildcards))


def detectors_on_base(wildcards):
    """Return the hash of each run's detector on a base."""
    return {
        name: detector_code(experiment.runs[name].detector)
        for name in of_base("runs")(wildcards)
    }


def scores_on_base(wildcards):
    """Return that of a run's base where one job asks for it, or where several share its cells."""
    parts = parts_on(BASE_OF["run"][wildcards.run])
    return parts if base_of(wildcards) or len(parts) > 1 else []


def asked_on_base(wildcards):
    """Return that of the base of a run or search, if it shares one."""
    base = base_of(wildcards)
    return parts_on(base) if base else []


def further_on_base(wildcards):
    """Return what says that the runs on a run's base are asked beside their scores as well."""
    base = base_of(wildcards)
    if base and base.name in APART:
        return parts_on(base, "further")
    return asked_on_base(wildcards)


def before_further(wildcards):
    """Return what a job waits for that asks runs beside their scores.

    That is the job that asks for the scores, and, since both keep what they hear in one place, the
    files of scores of those runs that hear other clips.
    """
    base = on_base[wildcards.base]
    hear = {*played.runs, *products.foil_runs}
    runs = [run for run in base.runs if run in hear]
    return parts_on(base) + products.scores(runs, "test", NOISY[:1])


def alone(of, shared):
    """Return what a job needs by itself; `shared`, where another job has asked all before."""
    return lambda wildcards: shared if base_of(wildcards) else of(wildcards)


def asking_memory(wildcards):
    """Return what a job takes that asks all on a base, or a part of one run."""
    needs = base_memory if of_base("shared")(wildcards) else model_memory
    return needs(of_base("options"))(wildcards)


def times_anew(asked):
    """Say, as a number, whether times that are kept are to be taken all the same."""
    return int(asked.forceall or bool({"latency", "time_base"} & set(asked.forcerun)))


def heard_foils():
    """Return the conditions of foils."""
    return foil_conditions(experiment.grid.snr_db, experiment.grid.clean_ms)


def hearing(record):
    """Return how a run or search hears."""
    return {key: getattr(record, key) for key in HEARING}


def hearing_of_run(run):
    """Return how a run hears, by its name."""
    record = experiment.runs[run]
    return {**hearing(record), "search": record.search}


def runs_on_base(scores, further):
    """Return a function to what each run on a base is asked.

    Parameters
    ----------
    scores : bool
        Of its cells, and at levels.
    further : callable
        Says whether all else is asked by the same job, by the base's name.
    """
    return lambda wildcards: {
        name: {
            **hearing_of_run(name),
            "scores": scores,
            "orders": further(wildcards.base) and name in experiment.asked,
            "conditions": further(wildcards.base) and name in played.runs,
            "foils": further(wildcards.base) and name in products.foil_runs,
        }
        for name in on_base[wildcards.base].runs
    }


def all_at_once(base):
    """Say whether one job asks the runs on a base for all."""
    return base in SHARED and base not in APART


def searches_on_base(wildcards):
    """Return how each search on a base hears."""
    return {
        name: {
            **hearing(experiment.searches[name]),
            "chooser": experiment.searches[name].chooser,
        }
        for name in on_base[wildcards.base].searches
    }


def beside_scores(wildcards):
    """Return what runs on a base are asked beside their scores; of several parts, one asks a run."""
    shown = settings["presentation"]
    return {
        **{key: shown[key] for key in ("axis", "clips", "probe_clips")},
        "conditions": [condition._asdict() for condition in played.conditions],
        "foils": [condition._asdict() for condition in heard_foils()],
    }


def clips_heard(runs, folder, keys, further):
    """Return a function to the clips that a job plays to the runs on a base, if any hears them.

    Parameters
    ----------
    runs : sequence of str
        That hear them.
    folder : str
        Below trials/.
    keys : sequence of str
    further : callable
        As for `runs_on_base`.
    """
    pattern = f"<results>/trials/{folder}/{{key}}.parquet"

    def of(wildcards):
        hears = further(wildcards.base) and set(on_base[wildcards.base].runs) & set(
            runs
        )
        return expand(pattern, key=keys) if hears else []

    return of


def clips_beside(further):
    """Return what a job plays beside the cells: clips of conditions, and of foils."""
    return {
        "conditions": clips_heard(played.runs, "conditions", played.rendered, further),
        "foils": clips_heard(products.foil_runs, "foils", FOILS, further),
    }


def timed_on_base(wildcards):
    """Return the times of all runs on a run's base, if it shares one."""
    base = base_of(wildcards)
    return f"<results>/parts/latency/{base.name}.json" if base else []
