# items of train -> proof that every beginning of it is balanced, before anything trains


rule check_growth:
    input:
        chosen="<results>/trials/{split}/items.parquet",
        sources="<results>/corpus/sources.parquet",
    output:
        "<results>/trials/{split}/growth.csv",
    log:
        "<logs>/check_growth/{split}.log",
    wildcard_constraints:
        split=any_of(TRAIN_SETS),
    conda:
        ENVIRONMENT
    params:
        without=lambda wildcards: TRAIN_SETS[wildcards.split],
        least_active=config["trials"]["least_active"],
        sizes=config["trials"]["growing"],
        code=code("trials/check_growth.py"),
    message:
        "Checking {wildcards.split} at every size it grows through"
    script:
        "scripts/trials/check_growth.py"
