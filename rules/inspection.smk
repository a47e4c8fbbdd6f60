# sources and trials -> a page to listen to, a card that describes the trials

inspection = ["<results>/corpus/inspect.html", "<results>/trials/README.md"]


rule write_inspection:
    input:
        sources="<results>/corpus/sources.parquet",
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=NOISY
        ),
        flags=FLAGS,
        templates=templates(
            *("inspect.html.j2", "inspect.js", "page.css"),
            *("clip_player.html.j2", "clip_player.js", "clip_player.css"),
        ),
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
        code=code("reporting/write_inspection.py"),
    message:
        "Drawing recordings and trials to listen to"
    script:
        "scripts/reporting/write_inspection.py"


# Train is described where something of the matrix learns from it.
DESCRIBED = expand("<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=CELLS)
if TRAINED:
    DESCRIBED = expand("<results>/trials/train/{cell}.parquet", cell=NOISY) + DESCRIBED


rule write_dataset_card:
    input:
        sources="<results>/corpus/sources.parquet",
        # Which says so: nothing is shared between the splits.
        audit="<results>/trials/audit.csv",
        cells=DESCRIBED,
        flags=FLAGS,
        template=templates("trials_card.md.j2"),
    output:
        "<results>/trials/README.md",
    log:
        "<logs>/write_dataset_card/write_dataset_card.log",
    conda:
        ENVIRONMENT
    params:
        grid=GRID._asdict(),
        corpora=config["corpus"],
        settings={
            "seed": config["seed"],
            "level": config["trials"]["level"],
            "least_active": config["trials"]["least_active"],
            "flag_by": FLAG_BY,
        },
        code=code("reporting/write_dataset_card.py"),
    message:
        "Describing the trials"
    script:
        "scripts/reporting/write_dataset_card.py"
