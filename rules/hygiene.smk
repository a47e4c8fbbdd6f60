# index -> what detectors hear in the recordings -> flags, and what hygiene would remove

from speechdt.checks import check_marks, read_checks

CHECKS = checked(
    read_checks, config["hygiene"], config["models"], config["prompts"], NANO_MODELS
)
FLAG_BY = config["hygiene"]["flag_by"]
FLAGS = ["<results>/corpus/flags.parquet"] if FLAG_BY else []
REMOVE = config["hygiene"]["remove"]
MARKS = checked(check_marks, config["exclude"])
hygiene = (
    ["<results>/corpus/hygiene.csv"]
    + expand("<results>/corpus/hygiene.{format}", format=("pdf", "svg", "png"))
    if CHECKS
    else []
)


rule measure_hygiene:
    input:
        "<results>/corpus/index.parquet",
    output:
        "<results>/corpus/hygiene/{check}.parquet",
    log:
        "<logs>/measure_hygiene/{check}.log",
    wildcard_constraints:
        check="|".join(CHECKS) or "none",
    conda:
        ENVIRONMENT
    threads: workflow.cores
    resources:
        gpu=lambda wildcards: CHECKS[wildcards.check].cls.gpus,
    params:
        backend=lambda wildcards: CHECKS[wildcards.check].backend,
        options=lambda wildcards: CHECKS[wildcards.check].options,
        detector=lambda wildcards: code_of(CHECKS[wildcards.check].cls),
        code=code("measure_hygiene.py"),
    message:
        "Listening to every recording with {wildcards.check} ({params.backend})"
    script:
        "scripts/measure_hygiene.py"


rule count_hygiene:
    input:
        index="<results>/corpus/index.parquet",
        scores=expand("<results>/corpus/hygiene/{check}.parquet", check=CHECKS),
    output:
        table="<results>/corpus/hygiene.csv",
        pdf="<results>/corpus/hygiene.pdf",
        svg="<results>/corpus/hygiene.svg",
        png="<results>/corpus/hygiene.png",
    log:
        "<logs>/count_hygiene/count_hygiene.log",
    conda:
        ENVIRONMENT
    params:
        thresholds={check: CHECKS[check].thresholds for check in CHECKS},
        code=code("count_hygiene.py"),
    message:
        "Counting what hygiene would remove"
    script:
        "scripts/count_hygiene.py"


# Beside the trials, not in them: an edit of the check's detector renders and scores nothing anew.
rule flag_sources:
    input:
        index="<results>/corpus/index.parquet",
        scores=f"<results>/corpus/hygiene/{FLAG_BY}.parquet",
    output:
        "<results>/corpus/flags.parquet",
    log:
        "<logs>/flag_sources/flag_sources.log",
    conda:
        ENVIRONMENT
    params:
        check=FLAG_BY,
        thresholds=CHECKS[FLAG_BY].thresholds if FLAG_BY else {},
        code=code("flag_sources.py"),
    message:
        "Flagging what {params.check} objects to"
    script:
        "scripts/flag_sources.py"
