# cells of train -> adapters, whose checkpoint dev chooses; test is never seen


rule finetune:
    input:
        model=base_model,
        # Nothing is shared between the splits.
        audit="<results>/trials/audit.csv",
        growth="<results>/trials/train/growth.csv",
        train=expand("<results>/trials/train/{cell}.parquet", cell=NOISY),
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        directory("<results>/adapters/{adapter}"),
    log:
        "<logs>/finetune/{adapter}.log",
    benchmark:
        "<benchmarks>/finetune/{adapter}.tsv"
    wildcard_constraints:
        adapter="[A-Za-z0-9][A-Za-z0-9_-]*",
    conda:
        ENVIRONMENT
    resources:
        gpu=adapter_gpus,
    params:
        backend=lambda wildcards: ADAPTERS[wildcards.adapter]["backend"],
        settings=lambda wildcards: TRAININGS[wildcards.adapter][1],
        detector=lambda wildcards: code_hash(
            *source_files(TRAININGS[wildcards.adapter][0])
        ),
        code=code("finetune.py"),
    message:
        "Fine-tuning {wildcards.adapter} ({params.backend})"
    script:
        "scripts/finetune.py"
