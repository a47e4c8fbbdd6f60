# what the wording of a question does to a language model, on dev

ASKED = [run for run in SCORED if hasattr(DETECTORS[run], "log_odds")]


rule measure_order_bias:
    input:
        models=own_models,
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        "<results>/prompts/order_bias/{variant}.json",
    log:
        "<logs>/measure_order_bias/{variant}.log",
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
    params:
        backend=lambda wildcards: SCORED[wildcards.variant]["backend"],
        options=options,
        detector=detector_code,
        code=code("measure_order_bias.py"),
    message:
        "Asking {wildcards.variant} with its options in both orders"
    script:
        "scripts/measure_order_bias.py"


rule collect_order_bias:
    input:
        expand("<results>/prompts/order_bias/{variant}.json", variant=ASKED),
    output:
        "<results>/tables/order_bias.csv",
    log:
        "<logs>/collect_order_bias/collect_order_bias.log",
    conda:
        ENVIRONMENT
    params:
        variants=ASKED,
        code=code("collect_order_bias.py"),
    message:
        "Collecting the biases of option order"
    script:
        "scripts/collect_order_bias.py"
