# scores of test -> metrics and thresholds of each variant -> tables of all


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    audit_labels,
    compare_versions,
    collect_tables,
    write_verdict,


rule measure_metrics:
    """Metrics of a variant on test, whole and in slices (metrics/)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY + CLEAN),
        scores=lambda wildcards: products.scores(
            of_variant("runs")(wildcards), "test", NOISY + CLEAN
        ),
        calibrations=lambda wildcards: products.calibrations(
            of_variant("runs")(wildcards)
        ),
        thresholds=lambda wildcards: products.thresholds_of(
            of_variant("runs")(wildcards)
        ),
        sources="<results>/corpus/sources.parquet",
    output:
        metrics="<results>/metrics/{variant}.csv",
        reliability="<results>/metrics/{variant}.reliability.csv",
    log:
        "<logs>/measure_metrics/{variant}.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        runs=of_variant("runs"),
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/measure_metrics.py"),
    message:
        "Measuring {wildcards.variant} on test"
    script:
        "scripts/analysis/measure_metrics.py"


# One job for all variants, apart from their own metrics, which an edit of the check leaves alone.
rule measure_unflagged:
    """Metrics without trials in which a flagged recording is heard."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(experiment.matrix_runs, "test", NOISY),
        calibrations=products.calibrations(experiment.matrix_runs),
        thresholds=products.thresholds_of(experiment.matrix_runs),
        flags="<results>/corpus/flags.parquet",
    output:
        "<results>/metrics/unflagged/all.csv",
    log:
        "<logs>/measure_unflagged/measure_unflagged.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        variants=experiment.runs_of,
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/measure_unflagged.py"),
    message:
        "Measuring all variants without flagged trials"
    script:
        "scripts/analysis/measure_unflagged.py"


rule measure_origins:
    """AUC within origins and on unseen ones (tables/origins.csv)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(experiment.matrix_runs, "test", NOISY),
        calibrations=products.calibrations(experiment.matrix_runs),
        sources="<results>/corpus/sources.parquet",
    output:
        "<results>/tables/origins.csv",
    log:
        "<logs>/measure_origins/measure_origins.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        variants=experiment.runs_of,
        trained=experiment.learned_here,
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/measure_origins.py"),
    message:
        "Measuring all variants within origins, and on unseen ones"
    script:
        "scripts/analysis/measure_origins.py"


rule fit_thresholds:
    """Psychometric curves and thresholds of a variant (thresholds/)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=CURVE + CATCH),
        scores=lambda wildcards: products.scores(
            of_variant("runs")(wildcards), "test", CURVE + CATCH
        ),
        calibrations=lambda wildcards: products.calibrations(
            of_variant("runs")(wildcards)
        ),
        thresholds=lambda wildcards: products.thresholds_of(
            of_variant("runs")(wildcards)
        ),
        choices=lambda wildcards: products.choices(heard_by(wildcards)),
    output:
        thresholds="<results>/thresholds/{variant}.csv",
        curves="<results>/thresholds/{variant}.curves.csv",
        surface="<results>/thresholds/{variant}.surface.csv",
        contour="<results>/thresholds/{variant}.contour.csv",
    log:
        "<logs>/fit_thresholds/{variant}.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        runs=of_variant("runs"),
        plan=experiment.grid.snr_db,
        containers=lambda wildcards: [
            experiment.runs[run].presentation["container"]
            for run in heard_by(wildcards)
            if not experiment.runs[run].alternatives
        ],
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/fit_thresholds.py"),
    message:
        "Fitting the psychometric curves of {wildcards.variant}"
    script:
        "scripts/analysis/fit_thresholds.py"


rule compare_variants:
    """Planned and other comparisons (tables/comparisons.csv)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=CURVE),
        scores=products.scores(experiment.matrix_runs, "test", CURVE),
        calibrations=products.calibrations(experiment.matrix_runs),
        thresholds=products.thresholds_of(experiment.matrix_runs),
    output:
        "<results>/tables/comparisons.csv",
    log:
        "<logs>/compare_variants/compare_variants.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        **settings["comparisons"],
        variants=experiment.runs_of,
        plan_snr_db=experiment.grid.snr_db,
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/compare_variants.py"),
    message:
        "Comparing the variants pair by pair"
    script:
        "scripts/analysis/compare_variants.py"


rule compare_left_out:
    """Variants trained with a corpus against those without it (tables/leave_one_out.csv)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        sources="<results>/corpus/sources.parquet",
        scores=products.scores(
            dict.fromkeys(experiment.judged_left_out.values()), "test", NOISY
        ),
        calibrations=products.calibrations(experiment.judged_left_out),
        thresholds=products.thresholds_of(experiment.judged_left_out),
    output:
        table="<results>/tables/leave_one_out.csv",
        page="<results>/tables/leave_one_out.md",
    log:
        "<logs>/compare_left_out/compare_left_out.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        scores_of=experiment.judged_left_out,
        left_out=[
            {
                **{name: getattr(run, name) for name in ("name", "in_domain")},
                **{name: getattr(run, name) for name in ("variant", "corpus")},
                "trained": run.entry is not None,
            }
            for run in experiment.left_out
        ],
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/compare_left_out.py"),
    message:
        "Comparing runs with and without a corpus"
    script:
        "scripts/analysis/compare_left_out.py"


rule measure_giveaways:
    """Give-away classifiers, by level, bandwidth, spectrum or origin (tables/giveaways.csv)."""
    input:
        audit="<results>/trials/audit.csv",
        train=expand("<results>/trials/train/{cell}.parquet", cell=NOISY),
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        test=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        conditions=expand(
            "<results>/trials/conditions/{key}.parquet", key=played.rendered
        ),
    output:
        giveaways="<results>/tables/giveaways.csv",
        conditions=products.tables_of(
            *["condition_giveaways"] * bool(played.conditions)
        ),
    log:
        "<logs>/measure_giveaways/measure_giveaways.log",
    # One long job: started last, it would leave the other cores idle.
    priority: 1
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        classifiers={
            **{
                name: {"features": name}
                for name in ("level", "bandwidth", "spectrum", "logmel")
            },
            "recognised origin": {"features": "logmel", "tells": "origin"},
        },
        conditions=[condition._asdict() for condition in played.conditions],
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        detector=logmel_code,
        code=checkout.code("analysis/measure_giveaways.py"),
    message:
        "Measuring how much the trials give away without listening"
    script:
        "scripts/analysis/measure_giveaways.py"


# The first run stands for a variant that has several, since each has a threshold of its own.
rule measure_sensitivity:
    """Results at other decision thresholds (tables/threshold_sensitivity.csv)."""
    input:
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        test=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        dev_scores=products.scores(experiment.first_runs.values(), "dev", NOISY),
        test_scores=products.scores(experiment.first_runs.values(), "test", NOISY),
        calibrations=products.calibrations(experiment.first_runs.values()),
    output:
        "<results>/tables/threshold_sensitivity.csv",
    log:
        "<logs>/measure_sensitivity/measure_sensitivity.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        runs=experiment.first_runs,
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/measure_sensitivity.py"),
    message:
        "Moving the thresholds of all variants"
    script:
        "scripts/analysis/measure_sensitivity.py"


rule analyse_errors:
    """Rates of wrong decisions, by recording too (tables/errors*.csv)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(experiment.first_runs.values(), "test", NOISY),
        calibrations=products.calibrations(experiment.first_runs.values()),
        thresholds=products.thresholds_of(experiment.first_runs.values()),
        sources="<results>/corpus/sources.parquet",
    output:
        rates="<results>/tables/errors.csv",
        common="<results>/tables/errors_common.csv",
        pairs="<results>/tables/errors_pairs.csv",
        sources="<results>/tables/error_sources.csv",
    log:
        "<logs>/analyse_errors/analyse_errors.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        runs=experiment.first_runs,
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/analyse_errors.py"),
    message:
        "Counting the errors of all variants"
    script:
        "scripts/analysis/analyse_errors.py"


rule measure_operating_points:
    """Hits at few false alarms, vendors' thresholds (tables/operating_points.csv)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(experiment.matrix_runs, "test", NOISY),
        calibrations=products.calibrations(experiment.matrix_runs),
        thresholds=products.thresholds_of(experiment.matrix_runs),
    output:
        points="<results>/tables/operating_points.csv",
        roc="<results>/tables/roc.csv",
    log:
        "<logs>/measure_operating_points/measure_operating_points.log",
    # One long job, as measure_giveaways.
    priority: 1
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        variants=experiment.runs_of,
        ready_made=products.ready_made,
        vendor_thresholds=vendor_thresholds(experiment),
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/measure_operating_points.py"),
    message:
        "Measuring all variants at few false alarms"
    script:
        "scripts/analysis/measure_operating_points.py"


rule measure_cases:
    """Detection cost of every variant for every kind of clip (tables/cases.csv)."""
    input:
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        test=expand("<results>/trials/test/{cell}.parquet", cell=CURVE),
        dev_scores=products.scores(experiment.matrix_runs, "dev", NOISY),
        test_scores=products.scores(experiment.matrix_runs, "test", CURVE),
        calibrations=products.calibrations(experiment.matrix_runs),
    output:
        cases="<results>/tables/cases.csv",
        shares="<results>/tables/score_shares.csv",
    log:
        "<logs>/measure_cases/measure_cases.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        variants=experiment.runs_of,
        plan_snr_db=experiment.grid.snr_db,
        seed=settings["seed"],
        code=checkout.code("analysis/measure_cases.py"),
    message:
        "Measuring what all variants cost in every case"
    script:
        "scripts/analysis/measure_cases.py"


VERSIONS = products.version_pairs
OF_VERSIONS = {
    name: experiment.runs_of[name] for name in dict.fromkeys(sum(VERSIONS, ()))
}
VERSION_RUNS = sum(OF_VERSIONS.values(), [])


rule compare_versions:
    """Two versions of one detector (tables/versions.csv)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(VERSION_RUNS, "test", NOISY),
        calibrations=products.calibrations(VERSION_RUNS),
        thresholds=products.thresholds_of(VERSION_RUNS),
    output:
        "<results>/tables/versions.csv",
    log:
        "<logs>/compare_versions/compare_versions.log",
    conda:
        ENVIRONMENT
    params:
        variants=OF_VERSIONS,
        pairs=VERSIONS,
        permutations=settings["comparisons"]["permutations"],
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/compare_versions.py"),
    message:
        "Comparing versions of one detector"
    script:
        "scripts/analysis/compare_versions.py"


# The easiest cells: those at the plan's highest SNR, and those without noise.
EASIEST = [
    cell.name
    for cell in experiment.grid.noisy
    if cell.snr_db == max(experiment.grid.snr_db)
] + CLEAN
JUDGES = [experiment.first_runs[name] for name in products.ready_made]


rule audit_labels:
    """Recordings whose label all detectors contradict (corpus/to_hear.csv)."""
    input:
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=EASIEST),
        test=expand("<results>/trials/test/{cell}.parquet", cell=EASIEST),
        dev_scores=products.scores(JUDGES, "dev", EASIEST),
        test_scores=products.scores(JUDGES, "test", EASIEST),
        calibrations=products.calibrations(JUDGES),
        sources="<results>/corpus/sources.parquet",
    output:
        "<results>/corpus/to_hear.csv",
    log:
        "<logs>/audit_labels/audit_labels.log",
    conda:
        ENVIRONMENT
    params:
        runs=JUDGES,
        code=checkout.code("analysis/audit_labels.py"),
    message:
        "Listing recordings whose label all detectors contradict"
    script:
        "scripts/analysis/audit_labels.py"


# Contradicted recordings are left out here alone; all other results hold them.
rule measure_uncontradicted:
    """Metrics without recordings whose label all detectors contradict."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(experiment.matrix_runs, "test", NOISY),
        calibrations=products.calibrations(experiment.matrix_runs),
        thresholds=products.thresholds_of(experiment.matrix_runs),
        to_hear="<results>/corpus/to_hear.csv",
    output:
        "<results>/metrics/uncontradicted/all.csv",
    log:
        "<logs>/measure_uncontradicted/measure_uncontradicted.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        variants=experiment.runs_of,
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("analysis/measure_uncontradicted.py"),
    message:
        "Measuring all variants without contradicted recordings"
    script:
        "scripts/analysis/measure_uncontradicted.py"


rule collect_tables:
    """Tables of all variants from those of each (tables/matrix.csv and others)."""
    input:
        metrics=expand("<results>/metrics/{variant}.csv", variant=experiment.variants)
        # Without flagged trials, where flagged recordings have been removed, there is no such file.
        + (
            ["<results>/metrics/unflagged/all.csv"]
            if products.flags and not settings["hygiene"]["remove"]
            else []
        )
        + (["<results>/metrics/uncontradicted/all.csv"] if products.to_hear else []),
        reliability=expand(
            "<results>/metrics/{variant}.reliability.csv", variant=experiment.variants
        ),
        thresholds=expand(
            "<results>/thresholds/{variant}.csv", variant=experiment.variants
        ),
        curves=expand(
            "<results>/thresholds/{variant}.curves.csv", variant=experiment.variants
        ),
        surface=expand(
            "<results>/thresholds/{variant}.surface.csv", variant=experiment.variants
        ),
        contour=expand(
            "<results>/thresholds/{variant}.contour.csv", variant=experiment.variants
        ),
        calibrations=products.calibrations(experiment.matrix_runs),
        origins="<results>/tables/origins.csv",
        presentations="<results>/tables/presentations.csv",
    output:
        matrix="<results>/tables/matrix.csv",
        metrics="<results>/tables/metrics.csv",
        reliability="<results>/tables/reliability.csv",
        thresholds="<results>/tables/thresholds.csv",
        curves="<results>/tables/curves.csv",
        surface="<results>/tables/surface.csv",
        contour="<results>/tables/contour.csv",
        instrument="<results>/tables/instrument.json",
    log:
        "<logs>/collect_tables/collect_tables.log",
    conda:
        ENVIRONMENT
    params:
        variants={
            name: {"backend": variant.backend, "model": variant.label}
            for name, variant in experiment.variants.items()
        },
        runs=experiment.runs_of,
        code=checkout.code("analysis/collect_tables.py"),
    message:
        "Collecting the tables"
    script:
        "scripts/analysis/collect_tables.py"


rule write_verdict:
    """The study's criteria, judged (tables/verdict.csv)."""
    input:
        matrix="<results>/tables/matrix.csv",
        comparisons="<results>/tables/comparisons.csv",
        metrics="<results>/tables/metrics.csv",
        latency="<results>/tables/latency.csv",
        training=["<results>/tables/training.csv"] if experiment.adapted else [],
    output:
        page="<results>/tables/verdict.md",
        table="<results>/tables/verdict.csv",
    log:
        "<logs>/write_verdict/write_verdict.log",
    conda:
        ENVIRONMENT
    params:
        judged=settings["verdict"]["judged"],
        baselines=settings["verdict"]["baselines"],
        criteria=criteria,
        names=products.names,
        adapters={
            variant: entry["runs"][0] for variant, entry in experiment.adapted.items()
        },
        code=checkout.code("analysis/write_verdict.py"),
    message:
        "Judging the plan's criteria"
    script:
        "scripts/analysis/write_verdict.py"
