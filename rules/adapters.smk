# cells of train -> adapters, whose checkpoint dev chooses; test is never seen

from speechdt.matrix import adapted


rule finetune:
    input:
        model=base_model,
        # Nothing is shared between the splits.
        audit="<results>/trials/audit.csv",
        growth=lambda wildcards: "<results>/trials/{}/growth.csv".format(
            set_for_adapter("train", wildcards.adapter)
        ),
        train=lambda wildcards: cells_of(
            set_for_adapter("train", wildcards.adapter), NOISY
        ),
        dev=lambda wildcards: cells_of(set_for_adapter("dev", wildcards.adapter), NOISY),
    output:
        directory("<results>/adapters/{adapter}"),
    log:
        "<logs>/finetune/{adapter}.log",
    benchmark:
        "<benchmarks>/finetune/{adapter}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=adapter_gpus,
    params:
        backend=lambda wildcards: ADAPTERS[wildcards.adapter]["backend"],
        settings=lambda wildcards: TRAININGS[wildcards.adapter][1],
        detector=lambda wildcards: code_of(TRAININGS[wildcards.adapter][0]),
        code=code("finetune.py"),
    message:
        "Fine-tuning {wildcards.adapter} ({params.backend})"
    script:
        "scripts/finetune.py"


# Of each variant whose language model is adapted here: its trainings, one a seed, and their settings.
ADAPTED = checked(adapted, RUNS, TRAININGS, config["trials"]["train_clips"])
USED_ADAPTERS = sorted({run for entry in ADAPTED.values() for run in entry["runs"]})


rule collect_adapters:
    input:
        adapters=expand("<results>/adapters/{adapter}", adapter=USED_ADAPTERS),
        matrix="<results>/tables/matrix.csv",
    output:
        adapters="<results>/tables/adapters.csv",
        training="<results>/tables/training.csv",
    log:
        "<logs>/collect_adapters/collect_adapters.log",
    conda:
        ENVIRONMENT
    params:
        trainings=USED_ADAPTERS,
        variants=ADAPTED,
        code=code("collect_adapters.py"),
    message:
        "Collecting the trainings"
    script:
        "scripts/collect_adapters.py"


# Beside the adapter's folder, whose bytes say which scores belong to it.
rule write_card:
    input:
        adapter="<results>/adapters/{adapter}",
        matrix="<results>/tables/matrix.csv",
    output:
        "<results>/cards/{adapter}.md",
    log:
        "<logs>/write_card/{adapter}.log",
    conda:
        ENVIRONMENT
    params:
        variants=lambda wildcards: [
            variant
            for variant, entry in ADAPTED.items()
            if wildcards.adapter in entry["runs"]
        ],
        code=code("write_card.py"),
    message:
        "Adding test figures to the card of {wildcards.adapter}"
    script:
        "scripts/write_card.py"
