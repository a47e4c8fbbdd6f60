# what is learned without a corpus, judged on it: one more run of each variant (see LEFT_OUT)


rule leave_out_of_dev:
    input:
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        sources="<results>/corpus/sources.parquet",
    output:
        expand("<results>/trials/dev-without-{{corpus}}/{cell}.parquet", cell=NOISY),
    log:
        "<logs>/leave_out_of_dev/{corpus}.log",
    wildcard_constraints:
        corpus=any_of(LEFT_OUT_CORPORA),
    conda:
        ENVIRONMENT
    params:
        code=code("trials/leave_out_of_dev.py"),
    message:
        "Leaving {wildcards.corpus} out of dev"
    script:
        "scripts/trials/leave_out_of_dev.py"


# Of every run with and without its corpus: whose scores it has.
COMPARED = {
    run: scored_as(run)
    for left in LEFT_OUT.values()
    for run in (left.in_domain, left.name)
}


rule compare_left_out:
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        sources="<results>/corpus/sources.parquet",
        scores=scores_of(COMPARED.values(), "test", NOISY),
        calibrations=calibrations_of(COMPARED),
    output:
        table="<results>/tables/leave_one_out.csv",
        page="<results>/tables/leave_one_out.md",
    log:
        "<logs>/compare_left_out/compare_left_out.log",
    conda:
        ENVIRONMENT
    params:
        runs=list(COMPARED),
        left_out=[
            {
                **{name: getattr(run, name) for name in ("name", "in_domain")},
                **{name: getattr(run, name) for name in ("variant", "corpus")},
                "trained": run.entry is not None,
            }
            for run in LEFT_OUT.values()
        ],
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("analysis/compare_left_out.py"),
    message:
        "Comparing what knows a corpus with what does not"
    script:
        "scripts/analysis/compare_left_out.py"


left_out_tables = ["<results>/tables/leave_one_out.csv"] if LEFT_OUT else []
