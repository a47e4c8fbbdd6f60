# sources of train -> nano models, toys that stand in for the real checkpoints

# What training a nano model runs; the rest of the package is about using one.
NANO_CODE = code_hash(
    *(
        path
        for pattern in ("nano/*.py", "mel.py", "encoder.py", "question.py", "qwen*.py")
        for path in (Path(workflow.basedir) / "backends" / "qwen").glob(pattern)
    )
)


rule train_nano:
    input:
        "<results>/corpus/sources.parquet",
    output:
        directory("<results>/models/nano/{architecture}"),
    log:
        "<logs>/train_nano/{architecture}.log",
    benchmark:
        "<benchmarks>/train_nano/{architecture}.tsv"
    conda:
        ENVIRONMENT
    # The same weights whatever the cores, and both models side by side.
    threads: 1
    params:
        recipe=lambda wildcards: {
            "architecture": wildcards.architecture,
            "seed": config["seed"],
            "least_active": config["trials"]["least_active"],
            **config["nano"],
            "code": NANO_CODE,
        },
        code=code("training/train_nano.py"),
    message:
        "Training the nano {wildcards.architecture} on train's clean clips"
    script:
        "scripts/training/train_nano.py"
