# items of train -> proof that every beginning of it is balanced, before anything trains


rule check_growth:
    input:
        chosen="<results>/trials/train/items.parquet",
        sources="<results>/corpus/sources.parquet",
    output:
        "<results>/trials/train/growth.csv",
    log:
        "<logs>/check_growth/check_growth.log",
    conda:
        ENVIRONMENT
    params:
        least_active=config["trials"]["least_active"],
        sizes=config["trials"]["growing"],
        code=code("check_growth.py"),
    message:
        "Checking the train set at every size it grows through"
    script:
        "scripts/check_growth.py"
