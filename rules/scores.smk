# cells -> scores of each variant -> calibration (dev alone); latency

from speechdt.matrix import ensemble_weights


rule score:
    input:
        models=own_models,
        search=own_search,
        # Before hours of scoring: nothing is shared between the splits.
        audit="<results>/trials/audit.csv",
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=CELLS
        ),
    output:
        expand(
            "<results>/scores/{{variant}}/{split}/{cell}.parquet",
            split=CROSSED,
            cell=CELLS,
        ),
    log:
        "<logs>/score/{variant}.log",
    benchmark:
        "<benchmarks>/score/{variant}.tsv"
    wildcard_constraints:
        variant=any_of(SCORED),
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
    params:
        backend=lambda wildcards: SCORED[wildcards.variant]["backend"],
        options=options,
        detector=detector_code,
        code=code("score.py"),
    message:
        "Scoring dev and test with {wildcards.variant} ({params.backend})"
    script:
        "scripts/score.py"


rule combine_scores:
    input:
        scores=lambda wildcards: [
            score
            for run in runs_of_members(wildcards.variant)
            for split in CROSSED
            for score in scores_of([run], split, CELLS)
        ],
        calibrations=lambda wildcards: calibrations_of(
            runs_of_members(wildcards.variant)
        ),
    output:
        expand(
            "<results>/scores/{{variant}}/{split}/{cell}.parquet",
            split=CROSSED,
            cell=CELLS,
        ),
    log:
        "<logs>/combine_scores/{variant}.log",
    wildcard_constraints:
        variant=any_of(ENSEMBLES),
    conda:
        ENVIRONMENT
    params:
        how=lambda wildcards: VARIANTS[wildcards.variant].get("how", "mean"),
        members=lambda wildcards: runs_of_members(wildcards.variant),
        weights=lambda wildcards: ensemble_weights(
            list(map(runs_of, ENSEMBLES[wildcards.variant]))
        ),
        code=code("combine_scores.py"),
    message:
        "Combining the scores of {params.members} into {wildcards.variant}"
    script:
        "scripts/combine_scores.py"


rule calibrate:
    input:
        cells=lambda wildcards: cells_of(dev_of(wildcards.variant), NOISY),
        scores=lambda wildcards: scores_of([scored_as(wildcards.variant)], "dev", NOISY),
    output:
        "<results>/calibration/{variant}.json",
    log:
        "<logs>/calibrate/{variant}.log",
    conda:
        ENVIRONMENT
    params:
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("calibrate.py"),
    message:
        "Learning threshold and calibration of {wildcards.variant} from dev"
    script:
        "scripts/calibrate.py"


rule latency:
    input:
        models=own_models,
        search=own_search,
        # After the scores, which a slow detector should not wait behind its stop-watch for.
        scores=f"<results>/scores/{{variant}}/test/{NOISY[0]}.parquet",
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
    output:
        "<results>/latency/{variant}.json",
    log:
        "<logs>/latency/{variant}.log",
    wildcard_constraints:
        variant=any_of(SCORED),
    conda:
        ENVIRONMENT
    # All cores, so that nothing runs beside it.
    threads: workflow.cores
    resources:
        gpu=gpus,
    params:
        backend=lambda wildcards: SCORED[wildcards.variant]["backend"],
        options=options,
        clips=config["latency"]["clips"],
        detector=detector_code,
        code=code("latency.py"),
    message:
        "Timing {wildcards.variant} ({params.backend}), nothing else running"
    script:
        "scripts/latency.py"


rule add_latencies:
    input:
        lambda wildcards: expand(
            "<results>/latency/{run}.json", run=runs_of_members(wildcards.variant)
        ),
    output:
        "<results>/latency/{variant}.json",
    log:
        "<logs>/add_latencies/{variant}.log",
    wildcard_constraints:
        variant=any_of(ENSEMBLES),
    conda:
        ENVIRONMENT
    params:
        code=code("add_latencies.py"),
    message:
        "Adding up what the members of {wildcards.variant} take"
    script:
        "scripts/add_latencies.py"
