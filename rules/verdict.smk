# tables -> what the plan's criteria and its decision tree make of them


rule write_verdict:
    input:
        matrix="<results>/tables/matrix.csv",
        comparisons="<results>/tables/comparisons.csv",
        metrics="<results>/tables/metrics.csv",
        latency="<results>/tables/latency.csv",
        training=["<results>/tables/training.csv"] if ADAPTED else [],
    output:
        page="<results>/tables/verdict.md",
        table="<results>/tables/verdict.csv",
    log:
        "<logs>/write_verdict/write_verdict.log",
    conda:
        ENVIRONMENT
    params:
        **config["verdict"],
        present=list(VARIANTS),
        adapters={variant: entry["runs"][0] for variant, entry in ADAPTED.items()},
        code=code("analysis/write_verdict.py"),
    message:
        "Judging the plan's criteria"
    script:
        "scripts/analysis/write_verdict.py"
