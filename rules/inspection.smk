# sources and trials -> a page to listen to, a card that describes the trials

inspection = ["<results>/corpus/inspect.html", "<results>/trials/README.md"]


rule write_inspection:
    input:
        sources="<results>/corpus/sources.parquet",
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=NOISY
        ),
        templates=[
            Path(workflow.basedir) / "speechdt" / "templates" / name
            for name in (
                *("inspect.html.j2", "inspect.js", "page.css"),
                *("clip_player.html.j2", "clip_player.js", "clip_player.css"),
            )
        ],
    output:
        "<results>/corpus/inspect.html",
    log:
        "<logs>/write_inspection/write_inspection.log",
    benchmark:
        "<benchmarks>/write_inspection/write_inspection.tsv"
    conda:
        ENVIRONMENT
    params:
        seed=config["seed"],
        code=code("write_inspection.py"),
    message:
        "Drawing recordings and trials to listen to"
    script:
        "scripts/write_inspection.py"
