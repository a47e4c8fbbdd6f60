# train -> nano models and adapters, whose checkpoint dev chooses; test is never seen


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    collect_adapters,
    write_card,


rule train_nano:
    """A small stand-in for a language model (models/nano/)."""
    input:
        "<results>/corpus/sources.parquet",
    output:
        directory("<results>/models/nano/{architecture}"),
    log:
        "<logs>/train_nano/{architecture}.log",
    benchmark:
        "<benchmarks>/train_nano/{architecture}.tsv"
    priority: 4
    conda:
        ENVIRONMENT
    # One thread: the same weights on any number of cores, and both models side by side.
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        recipe=lambda wildcards: {
            "architecture": wildcards.architecture,
            "seed": settings["seed"],
            "least_active": settings["trials"]["least_active"],
            **settings["nano"],
            "code": checkout.nano_code(),
        },
        code=checkout.code("training/train_nano.py"),
    message:
        "Training the nano {wildcards.architecture} on train's clean clips"
    script:
        "scripts/training/train_nano.py"


rule finetune:
    """An adapter, trained on train and chosen on dev (adapters/)."""
    input:
        model=of_training("base"),
        # The leak audit passes before any training.
        audit="<results>/trials/audit.csv",
        growth=lambda wildcards: "<results>/trials/{}/growth.csv".format(
            of_training("train")(wildcards)
        ),
        train=lambda wildcards: products.cells(of_training("train")(wildcards), NOISY),
        dev=lambda wildcards: products.cells(of_training("dev")(wildcards), NOISY),
    output:
        directory("<results>/adapters/{adapter}"),
    log:
        "<logs>/finetune/{adapter}.log",
    benchmark:
        "<benchmarks>/finetune/{adapter}.tsv"
    priority: 4
    conda:
        ENVIRONMENT
    resources:
        mem_mb=training_memory,
        runtime=1440,
        gpu=of_training("gpus"),
    params:
        backend=of_training("backend"),
        settings=of_training("settings"),
        presentation=of_training("presentation"),
        detector=code_of(of_training, training=True),
        code=checkout.code("training/finetune.py"),
    message:
        "Fine-tuning {wildcards.adapter} ({params.backend})"
    script:
        "scripts/training/finetune.py"


rule collect_adapters:
    """Adapters, and their learning curves (tables/adapters.csv, tables/training.csv)."""
    input:
        adapters=expand(
            "<results>/adapters/{adapter}", adapter=experiment.used_trainings
        ),
        matrix="<results>/tables/matrix.csv",
    output:
        adapters="<results>/tables/adapters.csv",
        training="<results>/tables/training.csv",
    log:
        "<logs>/collect_adapters/collect_adapters.log",
    conda:
        ENVIRONMENT
    params:
        trainings=experiment.used_trainings,
        variants=experiment.adapted,
        code=checkout.code("training/collect_adapters.py"),
    message:
        "Collecting the trainings"
    script:
        "scripts/training/collect_adapters.py"


# Beside the adapter's folder, whose bytes say which scores belong to it.
rule write_card:
    """The model card of an adapter (cards/)."""
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
            for variant, entry in experiment.adapted.items()
            if wildcards.adapter in entry["runs"]
        ],
        names=products.names,
        code=checkout.code("training/write_card.py"),
    message:
        "Adding test figures to the card of {wildcards.adapter}"
    script:
        "scripts/training/write_card.py"
