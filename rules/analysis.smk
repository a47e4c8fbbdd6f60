# scores of test -> metrics and thresholds of each variant -> tables of all


rule measure_metrics:
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY + CLEAN),
        scores=lambda wildcards: scores_of(
            runs_of(wildcards.variant), "test", NOISY + CLEAN
        ),
        calibrations=lambda wildcards: calibrations_of(runs_of(wildcards.variant)),
        sources="<results>/corpus/sources.parquet",
    output:
        metrics="<results>/metrics/{variant}.csv",
        reliability="<results>/metrics/{variant}.reliability.csv",
    log:
        "<logs>/measure_metrics/{variant}.log",
    conda:
        ENVIRONMENT
    params:
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("measure_metrics.py"),
    message:
        "Measuring {wildcards.variant} on test"
    script:
        "scripts/measure_metrics.py"


# One job for all variants: what a check's detector thinks of the recordings is no matter of theirs.
rule measure_unflagged:
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=scores_of(ALL_RUNS, "test", NOISY),
        calibrations=calibrations_of(ALL_RUNS),
        flags="<results>/corpus/flags.parquet",
    output:
        "<results>/metrics/unflagged/all.csv",
    log:
        "<logs>/measure_unflagged/measure_unflagged.log",
    conda:
        ENVIRONMENT
    params:
        variants={variant: len(runs_of(variant)) for variant in VARIANTS},
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("measure_unflagged.py"),
    message:
        "Measuring all variants without flagged trials"
    script:
        "scripts/measure_unflagged.py"


rule fit_thresholds:
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY + CATCH),
        scores=lambda wildcards: scores_of(
            runs_of(wildcards.variant), "test", NOISY + CATCH
        ),
        calibrations=lambda wildcards: calibrations_of(runs_of(wildcards.variant)),
    output:
        thresholds="<results>/thresholds/{variant}.csv",
        curves="<results>/thresholds/{variant}.curves.csv",
        surface="<results>/thresholds/{variant}.surface.csv",
        contour="<results>/thresholds/{variant}.contour.csv",
    log:
        "<logs>/fit_thresholds/{variant}.log",
    conda:
        ENVIRONMENT
    params:
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("fit_thresholds.py"),
    message:
        "Fitting the psychometric curves of {wildcards.variant}"
    script:
        "scripts/fit_thresholds.py"


rule compare_variants:
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY + CATCH),
        scores=scores_of(ALL_RUNS, "test", NOISY + CATCH),
        calibrations=calibrations_of(ALL_RUNS),
    output:
        "<results>/tables/comparisons.csv",
    log:
        "<logs>/compare_variants/compare_variants.log",
    conda:
        ENVIRONMENT
    params:
        **config["comparisons"],
        variants={variant: len(runs_of(variant)) for variant in VARIANTS},
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("compare_variants.py"),
    message:
        "Comparing the variants pair by pair"
    script:
        "scripts/compare_variants.py"


rule collect_tables:
    input:
        metrics=expand("<results>/metrics/{variant}.csv", variant=VARIANTS)
        # Nothing is flagged where all that would be is removed.
        + (["<results>/metrics/unflagged/all.csv"] if FLAGS and not REMOVE else []),
        reliability=expand(
            "<results>/metrics/{variant}.reliability.csv", variant=VARIANTS
        ),
        thresholds=expand("<results>/thresholds/{variant}.csv", variant=VARIANTS),
        curves=expand("<results>/thresholds/{variant}.curves.csv", variant=VARIANTS),
        surface=expand("<results>/thresholds/{variant}.surface.csv", variant=VARIANTS),
        contour=expand("<results>/thresholds/{variant}.contour.csv", variant=VARIANTS),
        calibrations=calibrations_of(ALL_RUNS),
    output:
        matrix="<results>/tables/matrix.csv",
        metrics="<results>/tables/metrics.csv",
        reliability="<results>/tables/reliability.csv",
        thresholds="<results>/tables/thresholds.csv",
        curves="<results>/tables/curves.csv",
        surface="<results>/tables/surface.csv",
        contour="<results>/tables/contour.csv",
    log:
        "<logs>/collect_tables/collect_tables.log",
    conda:
        ENVIRONMENT
    params:
        variants={
            variant: {
                "backend": VARIANTS[variant].get("backend", "ensemble"),
                "model": label_of(variant),
            }
            for variant in VARIANTS
        },
        runs={variant: len(runs_of(variant)) for variant in VARIANTS},
        code=code("collect_tables.py"),
    message:
        "Collecting the tables"
    script:
        "scripts/collect_tables.py"


MATRIX = Path(workflow.pathvars.apply("<results>/tables/matrix.csv"))


# At the end of a run, where it is not missed.
onsuccess:
    if MATRIX.exists() and workflow.is_main_process:
        # Here, since pandas would slow down every parse.
        from speechdt.skill import warning
        from speechdt.tables import read_table

        if line := warning(read_table(MATRIX), VARIANTS):
            print(line, file=sys.stderr)


# Of a variant with several runs the first is timed: they differ in their weights alone.
latencies = [f"<results>/latency/{run}.json" for run in FIRST_RUNS]


# Apart from the other tables, since no two runs give the same milliseconds.
rule collect_latency:
    input:
        latency=latencies,
        matrix="<results>/tables/matrix.csv",
    output:
        latency="<results>/tables/latency.csv",
        pareto="<results>/tables/pareto.csv",
    log:
        "<logs>/collect_latency/collect_latency.log",
    conda:
        ENVIRONMENT
    params:
        variants=list(VARIANTS),
        code=code("collect_latency.py"),
    message:
        "Collecting the latencies"
    script:
        "scripts/collect_latency.py"
