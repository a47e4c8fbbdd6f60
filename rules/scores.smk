# cells -> scores of each run -> calibration (dev alone); latency

# Draws of dev's groups that say how sure a choice is. Not those of the configuration: no interval of
# the tables hangs on them, and more of those shall not score anew.
CHOICE_REPLICATES = 1000

of_ensemble = field(experiment.variants, "ensemble")
members_of = of_ensemble("member_runs")


# Dev alone: no file of test goes in.
rule choose:
    """Level, container and options under which a detector is best on dev (choices/)."""
    input:
        models=of_run("made"),
        audit="<results>/trials/audit.csv",
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        "<results>/choices/{run}.json",
    log:
        "<logs>/choose/{run}.log",
    benchmark:
        "<benchmarks>/choose/{run}.tsv"
    wildcard_constraints:
        run=any_of(experiment.choosing),
    # First, since other jobs wait for it.
    priority: 3
    conda:
        ENVIRONMENT
    resources:
        mem_mb=run_memory,
        runtime=240,
        gpu=of_run("gpus"),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        alternatives=of_run("alternatives"),
        clips=settings["presentation"]["clips"],
        replicates=CHOICE_REPLICATES,
        seed=settings["seed"],
        detector=code_of(of_run),
        code=checkout.code("scores/choose.py"),
    message:
        "Choosing on dev how {wildcards.run} ({params.backend}) hears"
    script:
        "scripts/scores/choose.py"


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    collect_choices,
    collect_levels,
    add_latencies,
    collect_latency,


# A base (a checkpoint) is read once for all runs on it: what they answer is kept, and the jobs of each
# run find it. Where none is shared, parts of a run, if it is to be scored in parts.
rule score_part:
    """Answers of all runs on a base, or a share of the scores of a run."""
    input:
        **clips_beside(all_at_once),
        models=of_base("made"),
        search=winners_on_base,
        choice=choices_on_base,
        audit="<results>/trials/audit.csv",
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=CELLS
        ),
    output:
        temp("<results>/parts/score/{base}/{scatteritem}.txt"),
    log:
        "<logs>/score_part/{base}.{scatteritem}.log",
    benchmark:
        "<benchmarks>/score_part/{base}.{scatteritem}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=asking_memory,
        runtime=1440,
        gpu=of_base("gpus"),
    params:
        runs=runs_on_base(True, all_at_once),
        searches=searches_on_base,
        further=beside_scores,
        audio_gib=settings["jobs"]["audio_gib"],
        noisy=NOISY,
        detectors=detectors_on_base,
        code=checkout.code("scores/score_part.py"),
    message:
        "Asking {wildcards.base} and all on its base, {wildcards.scatteritem}"
    script:
        "scripts/scores/score_part.py"


use rule score_part as ask_further with:
    """Answers of all runs on a base beside their scores: both orders, conditions, foils."""
    input:
        **clips_beside(lambda base: True),
        models=of_base("made"),
        search=winners_on_base,
        choice=choices_on_base,
        scores=before_further,
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        temp("<results>/parts/further/{base}/{scatteritem}.txt"),
    log:
        "<logs>/ask_further/{base}.{scatteritem}.log",
    benchmark:
        "<benchmarks>/ask_further/{base}.{scatteritem}.tsv"
    wildcard_constraints:
        base=any_of(APART),
    params:
        runs=runs_on_base(False, lambda base: True),
        searches={},
        further=beside_scores,
        noisy=NOISY,
        audio_gib=settings["jobs"]["audio_gib"],
        detectors=detectors_on_base,
        code=checkout.code("scores/score_part.py"),
    message:
        "Asking {wildcards.base} and all on its base all else, {wildcards.scatteritem}"


rule score:
    """P(speech) of every clip of dev and test (scores/)."""
    input:
        models=of_run("made"),
        search=search_of,
        parts=scores_on_base,
        choice=choice_of_run,
        # The leak audit passes before hours of scoring.
        audit="<results>/trials/audit.csv",
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=CELLS
        ),
    output:
        scores=expand(
            "<results>/scores/{{run}}/{split}/{cell}.parquet",
            # Snakemake compares a file with one output after the other: most are of test.
            split=CROSSED[::-1],
            cell=CELLS,
        ),
        # Here, because loading a language model takes longer than the probe.
        levels="<results>/levels/{run}.csv",
    log:
        "<logs>/score/{run}.log",
    benchmark:
        "<benchmarks>/score/{run}.tsv"
    wildcard_constraints:
        run=any_of(experiment.scored),
    priority: 2
    conda:
        ENVIRONMENT
    resources:
        mem_mb=alone(run_memory, TORCH_MB),
        runtime=1440,
        gpu=alone(of_run("gpus"), 0),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        presentation=of_run("presentation"),
        axis=settings["presentation"]["axis"],
        clips=settings["presentation"]["clips"],
        probe_clips=settings["presentation"]["probe_clips"],
        noisy=NOISY,
        replicates=CHOICE_REPLICATES,
        seed=settings["seed"],
        detector=code_of(of_run),
        code=checkout.code("scores/score.py"),
    message:
        "Scoring dev and test with {wildcards.run} ({params.backend})"
    script:
        "scripts/scores/score.py"


# Scores that show what the choice on dev was worth.
rule score_default:
    """P(speech) of test by the detector as it comes, without the choice on dev."""
    input:
        models=of_run("made"),
        choice="<results>/choices/{run}.json",
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
    output:
        expand("<results>/choices/default/{{run}}/test/{cell}.parquet", cell=NOISY),
    log:
        "<logs>/score_default/{run}.log",
    benchmark:
        "<benchmarks>/score_default/{run}.tsv"
    wildcard_constraints:
        run=any_of(experiment.choosing),
    priority: 1
    conda:
        ENVIRONMENT
    resources:
        mem_mb=run_memory,
        runtime=240,
        gpu=of_run("gpus"),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        default=lambda wildcards: of_run("alternatives")(wildcards)[0],
        detector=code_of(of_run),
        code=checkout.code("scores/score_default.py"),
    message:
        "Scoring test with {wildcards.run} ({params.backend}) as it comes"
    script:
        "scripts/scores/score_default.py"


# Apart from the table of their worth on test: choices hang on dev alone.
rule collect_choices:
    """Choices offered, tried and made on dev (tables/choices.csv)."""
    input:
        products.choices(products.choosing_variants.values()),
    output:
        "<results>/tables/choices.csv",
    log:
        "<logs>/collect_choices/collect_choices.log",
    conda:
        ENVIRONMENT
    params:
        choosing=products.choosing_variants,
        code=checkout.code("scores/collect_choices.py"),
    message:
        "Collecting the choices on dev"
    script:
        "scripts/scores/collect_choices.py"


rule collect_levels:
    """Levels, and what choices were worth (tables/levels.csv, tables/presentations.csv)."""
    input:
        levels=expand("<results>/levels/{run}.csv", run=products.probed.values()),
        choices=products.choices(products.choosing_variants.values()),
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(products.choosing_variants.values(), "test", NOISY),
        defaults=products.defaults(products.choosing_variants.values(), NOISY),
    output:
        levels="<results>/tables/levels.csv",
        presentations="<results>/tables/presentations.csv",
    log:
        "<logs>/collect_levels/collect_levels.log",
    conda:
        ENVIRONMENT
    params:
        probed=products.probed,
        choosing=products.choosing_variants,
        presentations={
            name: experiment.runs[run].presentation
            for name, run in products.probed.items()
        },
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("scores/collect_levels.py"),
    message:
        "Collecting levels, and what the choices on dev were worth"
    script:
        "scripts/scores/collect_levels.py"


rule combine_scores:
    """Scores of an ensemble."""
    input:
        scores=lambda wildcards: [
            score
            for split in CROSSED
            for score in products.scores(members_of(wildcards), split, CELLS)
        ],
        calibrations=lambda wildcards: products.calibrations(members_of(wildcards)),
    output:
        expand(
            "<results>/scores/{{ensemble}}/{split}/{cell}.parquet",
            split=CROSSED,
            # Snakemake compares every file with every output, also of a rule that makes none.
            cell=CELLS if experiment.ensembles else CELLS[:1],
        ),
    log:
        "<logs>/combine_scores/{ensemble}.log",
    benchmark:
        "<benchmarks>/combine_scores/{ensemble}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        how=of_ensemble("how"),
        members=of_ensemble("member_runs"),
        weights=of_ensemble("weights"),
        code=checkout.code("scores/combine_scores.py"),
    message:
        "Combining the scores of {params.members} into {wildcards.ensemble}"
    script:
        "scripts/scores/combine_scores.py"


rule calibrate:
    """Decision threshold and calibration, learned from dev (calibration/)."""
    input:
        cells=lambda wildcards: products.cells(experiment.dev_of(wildcards.run), NOISY),
        scores=lambda wildcards: products.scores(
            [experiment.scores_of(wildcards.run)], "dev", NOISY
        ),
    output:
        calibration="<results>/calibration/{run}.json",
        thresholds="<results>/calibration/{run}.thresholds.parquet",
    log:
        "<logs>/calibrate/{run}.log",
    benchmark:
        "<benchmarks>/calibrate/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        replicates=settings["bootstrap"]["replicates"],
        again=settings["bootstrap"]["threshold"] == "again",
        seed=settings["seed"],
        code=checkout.code("scores/calibrate.py"),
    message:
        "Learning threshold and calibration of {wildcards.run} from dev"
    script:
        "scripts/scores/calibrate.py"


rule time_base:
    """The time a clip takes, of all runs on a base."""
    input:
        models=of_base("made"),
        search=winners_on_base,
        choice=choices_on_base,
        scores=lambda wildcards: products.scores(
            of_base("runs")(wildcards), "test", NOISY[:1]
        ),
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
    output:
        temp("<results>/parts/latency/{base}.json"),
    log:
        "<logs>/time_base/{base}.log",
    benchmark:
        "<benchmarks>/time_base/{base}.tsv"
    wildcard_constraints:
        base=any_of(SHARED),
    conda:
        ENVIRONMENT
    # All cores, as in rule latency.
    threads: all_cores
    resources:
        mem_mb=base_memory(of_base("options")),
        runtime=240,
        gpu=of_base("gpus"),
        # Not among the params, where the next run would see a change.
        anew=lambda wildcards: times_anew(workflow.dag_settings),
    params:
        runs=lambda wildcards: {
            name: hearing_of_run(name) for name in of_base("runs")(wildcards)
        },
        clips=settings["latency"]["clips"],
        round=timing_round,
        detectors=detectors_on_base,
        code=checkout.code("scores/time_base.py", "detectors/stages.py"),
    message:
        "Timing {wildcards.base} and all on its base"
    script:
        "scripts/scores/time_base.py"


rule latency:
    """The time a clip takes, one at a time and many (latency/)."""
    input:
        models=of_run("made"),
        search=search_of,
        choice=choice_of_run,
        # After the scores, so that those of a slow detector do not wait for its timing.
        scores=f"<results>/scores/{{run}}/test/{NOISY[0]}.parquet",
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        timed=timed_on_base,
    output:
        "<results>/latency/{run}.json",
    log:
        "<logs>/latency/{run}.log",
    benchmark:
        "<benchmarks>/latency/{run}.tsv"
    wildcard_constraints:
        run=any_of(experiment.scored),
    conda:
        ENVIRONMENT
    # All cores, so that no other job runs beside it; what else does is measured.
    threads: alone(all_cores, 1)
    resources:
        mem_mb=alone(run_memory, TORCH_MB),
        runtime=120,
        gpu=alone(of_run("gpus"), 0),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        presentation=of_run("presentation"),
        clips=settings["latency"]["clips"],
        round=timing_round,
        detector=code_of(of_run),
        code=checkout.code("scores/latency.py", "detectors/stages.py"),
    message:
        "Timing {wildcards.run} ({params.backend})"
    script:
        "scripts/scores/latency.py"


# `snakemake retime`: all variants together, on a machine that is the same and quiet for all.
rule retime:
    """Times of all variants taken again, together: on a quiet machine."""
    input:
        another_round,
        products.latencies,
        "<results>/tables/latency.csv",
        "<results>/tables/latency.md",
        "<results>/figures/pareto.svg",
        "<results>/report.html",


rule add_latencies:
    """The time of an ensemble."""
    input:
        lambda wildcards: expand(
            "<results>/latency/{run}.json", run=members_of(wildcards)
        ),
    output:
        "<results>/latency/{ensemble}.json",
    log:
        "<logs>/add_latencies/{ensemble}.log",
    conda:
        ENVIRONMENT
    params:
        code=checkout.code("scores/add_latencies.py"),
    message:
        "Adding up what the members of {wildcards.ensemble} take"
    script:
        "scripts/scores/add_latencies.py"


# Apart from the other tables, since no two runs give the same milliseconds.
rule collect_latency:
    """Times of all variants (tables/latency.csv, tables/pareto.csv)."""
    input:
        latency=products.latencies,
        matrix="<results>/tables/matrix.csv",
    output:
        latency="<results>/tables/latency.csv",
        pareto="<results>/tables/pareto.csv",
    log:
        "<logs>/collect_latency/collect_latency.log",
    conda:
        ENVIRONMENT
    params:
        runs=experiment.first_runs,
        code=checkout.code("scores/collect_latency.py"),
    message:
        "Collecting the latencies"
    script:
        "scripts/scores/collect_latency.py"
