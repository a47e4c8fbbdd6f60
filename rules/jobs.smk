# what jobs ask of a machine, and of jobs before them

from snakemake.iocontainers import InputFiles, OutputFiles, Wildcards
from speechdt.workflow import last_line, manifest, timings, unlock
from speechdt.workflow.accepted import accept
from speechdt.workflow.needs import listening_memory, model_memory, worker_memory

MANIFEST = Path(workflow.pathvars.apply("<logs>")).parent / manifest.FOLDER
# Not the cores of this machine: a cluster's nodes may have fewer, and jobs would wait for ever.
THREADS = settings["jobs"]["threads"]


def all_cores(wildcards):
    """Return what a job takes to be alone on this machine; on a cluster its profile sees to that."""
    return workflow.cores if workflow.local_exec and workflow._cores else 1


run_memory, search_memory = map(model_memory, (of_run("options"), of_search("options")))
training_memory = model_memory(of_training("settings"))
check_memory = listening_memory(of_check("options"))


def accepted_results(wildcards):
    """Return the list of accepted results, if any are: pages that show it are written anew."""
    file = MANIFEST.parent / "accepted.json"
    return [str(file)] if file.exists() else []


def another_round(wildcards):
    """Begin another round of timings, which all variants are timed in; return no input."""
    if workflow.is_main_process:
        timings.begin(MANIFEST, dry=workflow.dryrun)
    return []


def timing_round(wildcards):
    """Return in which round of timings the latencies are."""
    return timings.current(MANIFEST)


def read_anew(asked):
    """Say, as a number, whether recordings that are known are to be read all the same."""
    return int(asked.forceall or "index_corpus" in asked.forcerun)


def heard_by(wildcards):
    """Return the runs whose detectors hear the clips; of an ensemble those of its members."""
    return of_variant("member_runs")(wildcards) or of_variant("runs")(wildcards)


def search_of(wildcards):
    """Return the search that a run's prompt is the winner of, if it is one."""
    search = of_run("search")(wildcards)
    return [f"<results>/prompts/{search}.json"] if search else []


def choice_of(of_record, name):
    """Return what gives a wildcard's file of what dev chose for it, if anything is chosen."""
    return lambda wildcards: products.choices([of_record(name)(wildcards)])


choice_of_run = choice_of(of_run, "name")


# `--set-scatter score=4`: so many jobs, each with a share of the cells (of the bank, of dev), before
# the one that needs all.
scattergather:
    score=1,
    bank=1,
    hygiene=1,


def parts_of(kind, pattern):
    """Return what the parts of a job make; nothing where one job does all."""
    parts = getattr(gather, kind)(pattern)
    return parts if len(parts) > 1 else []


# Of `--sdm apptainer`; what is built from container/.
if settings["container"]:

    container: settings["container"]


# Its features are the largest of the trivial classifiers'. (The plugin may have been taken out.)
LOGMEL = find_detectors().get("logmel")


def logmel_code(wildcards):
    """Return what hashes it."""
    return detector_code(LOGMEL) if LOGMEL else ""


def params_now(rule, wildcards):
    """Return the parameters that a job would have now; None if there is no such job."""
    try:
        given = Wildcards(fromdict=wildcards)
        params, _ = workflow.get_rule(rule).expand_params(
            given, InputFiles(), OutputFiles(), None
        )
    except Exception:  # whatever its functions raise for what is not there any more
        return None
    return dict(params.items())


def accepting(wildcards):
    """Accept what is there, before Snakemake decides what is to be made; return no input."""
    if workflow.is_main_process and not workflow.dryrun:
        for line in accept(
            MANIFEST, manifest.made(MANIFEST, params_now, temporary=True)
        ):
            print(line, file=sys.stderr)
    return []


onstart:
    here = workflow.executor_plugin.common_settings.local_exec
    # The lock of a killed run then names its owner.
    unlock.hold(queue=not here)
    if workflow.is_main_process:
        last_line.watch(MANIFEST)
    # Snakemake's limit of submissions wakes its scheduler every second, once more for each job that
    # has ended, and each time it looks at all inputs. On one machine there is nothing to limit.
    if here:
        workflow.scheduler.job_rate_limiter = None
