# train, dev, test -> how much the trials give away without listening; what hangs on the threshold

# Its features are the largest of the trivial classifiers'. (The plugin may have been taken out.)
LOGMEL = find_detectors().get("logmel")
LOGMEL_CODE = code_of(LOGMEL) if LOGMEL else ""


rule measure_giveaways:
    input:
        audit="<results>/trials/audit.csv",
        train=expand("<results>/trials/train/{cell}.parquet", cell=NOISY),
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        test=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
    output:
        "<results>/tables/giveaways.csv",
    log:
        "<logs>/measure_giveaways/measure_giveaways.log",
    conda:
        ENVIRONMENT
    params:
        features=["level", "bandwidth", "spectrum", "logmel"],
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        detector=LOGMEL_CODE,
        code=code("measure_giveaways.py"),
    message:
        "Measuring how much the trials give away without listening"
    script:
        "scripts/measure_giveaways.py"


# Of a variant with several runs the first is shown: each run has a threshold of its own.
rule measure_sensitivity:
    input:
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        test=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        dev_scores=scores_of(FIRST_RUNS, "dev", NOISY),
        test_scores=scores_of(FIRST_RUNS, "test", NOISY),
        calibrations=calibrations_of(FIRST_RUNS),
    output:
        "<results>/tables/threshold_sensitivity.csv",
    log:
        "<logs>/measure_sensitivity/measure_sensitivity.log",
    conda:
        ENVIRONMENT
    params:
        variants=list(VARIANTS),
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("measure_sensitivity.py"),
    message:
        "Moving the thresholds of all variants"
    script:
        "scripts/measure_sensitivity.py"
