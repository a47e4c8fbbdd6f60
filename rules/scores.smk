# cells -> scores of each run -> calibration (dev alone); latency

of_ensemble = field(experiment.variants, "ensemble")
members_of = of_ensemble("member_runs")


# Of seconds: on a cluster they run where it is submitted from.
localrules:
    add_latencies,
    collect_latency,


rule score:
    input:
        models=of_run("made"),
        search=search_of,
        # Before hours of scoring: nothing is shared between the splits.
        audit="<results>/trials/audit.csv",
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=CELLS
        ),
    output:
        expand(
            "<results>/scores/{{run}}/{split}/{cell}.parquet",
            split=CROSSED,
            cell=CELLS,
        ),
    log:
        "<logs>/score/{run}.log",
    benchmark:
        "<benchmarks>/score/{run}.tsv"
    wildcard_constraints:
        run=any_of(experiment.scored),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=run_memory,
        runtime=1440,
        gpu=of_run("gpus"),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        detector=code_of(of_run),
        code=checkout.code("scores/score.py"),
    message:
        "Scoring dev and test with {wildcards.run} ({params.backend})"
    script:
        "scripts/scores/score.py"


rule combine_scores:
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
            cell=CELLS,
        ),
    log:
        "<logs>/combine_scores/{ensemble}.log",
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


rule latency:
    input:
        models=of_run("made"),
        search=search_of,
        # After the scores, which a slow detector should not wait behind its stop-watch for.
        scores=f"<results>/scores/{{run}}/test/{NOISY[0]}.parquet",
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
    output:
        "<results>/latency/{run}.json",
    log:
        "<logs>/latency/{run}.log",
    wildcard_constraints:
        run=any_of(experiment.scored),
    conda:
        ENVIRONMENT
    # All cores, so that nothing runs beside it.
    threads: all_cores
    resources:
        mem_mb=run_memory,
        runtime=120,
        gpu=of_run("gpus"),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        clips=settings["latency"]["clips"],
        detector=code_of(of_run),
        code=checkout.code("scores/latency.py"),
    message:
        "Timing {wildcards.run} ({params.backend}), nothing else running"
    script:
        "scripts/scores/latency.py"


rule add_latencies:
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
