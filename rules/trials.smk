# sources -> items (which crop before which background) -> cells (audio) -> audit


rule choose_items:
    input:
        "<results>/corpus/sources.parquet",
    output:
        "<results>/trials/{split}/items.parquet",
    log:
        "<logs>/choose_items/{split}.log",
    conda:
        ENVIRONMENT
    params:
        grid=GRID._asdict(),
        trials=config["trials"],
        without=lambda wildcards: TRAIN_SETS.get(wildcards.split),
        seed=config["seed"],
        code=code("trials/choose_items.py"),
    message:
        "Choosing the items of {wildcards.split}"
    script:
        "scripts/trials/choose_items.py"


rule render_trials:
    input:
        "<results>/trials/{split}/items.parquet",
    output:
        expand("<results>/trials/{{split}}/{cell}.parquet", cell=CELLS),
    log:
        "<logs>/render_trials/{split}.log",
    benchmark:
        "<benchmarks>/render_trials/{split}.tsv"
    wildcard_constraints:
        split="|".join(CROSSED),
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        grid=GRID._asdict(),
        level=config["trials"]["level"],
        seed=config["seed"],
        code=code("trials/render_trials.py"),
    message:
        "Rendering the trials of {wildcards.split}"
    script:
        "scripts/trials/render_trials.py"


use rule render_trials as render_train with:
    input:
        "<results>/trials/{split}/items.parquet",
    output:
        expand("<results>/trials/{{split}}/{cell}.parquet", cell=NOISY),
    wildcard_constraints:
        split=any_of(TRAIN_SETS),


rule audit_leaks:
    input:
        sources="<results>/corpus/sources.parquet",
        prints="<results>/corpus/fingerprints.parquet",
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=CELLS),
        test=expand("<results>/trials/test/{cell}.parquet", cell=CELLS),
    output:
        "<results>/trials/audit.csv",
    log:
        "<logs>/audit_leaks/audit_leaks.log",
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        code=code("trials/audit_leaks.py"),
    message:
        "Looking for anything that two splits share"
    script:
        "scripts/trials/audit_leaks.py"
