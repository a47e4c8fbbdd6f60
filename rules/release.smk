# a finished run -> one folder to publish; not part of `all`


# `snakemake release`
rule release:
    input:
        "<results>/release",


rule make_release:
    input:
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=CELLS
        )
        + expand(
            "<results>/trials/train/{cell}.parquet",
            cell=NOISY if TRAINED else [],
        ),
        scores=[
            score
            for run in ALL_RUNS
            for split in CROSSED
            for score in scores_of([run], split, CELLS)
        ],
        calibration=calibrations_of(ALL_RUNS),
        adapters=expand("<results>/adapters/{adapter}", adapter=TRAINED),
        cards=cards,
        dataset_card="<results>/trials/README.md",
        prompts=expand("<results>/prompts/{search}.json", search=USED_SEARCHES),
        sources="<results>/corpus/sources.parquet",
        flags=FLAGS,
        tables=published,
        figures=figures,
        pages=[
            "<results>/report.html",
            *rules.write_gallery.output,
        ],
        numbers="<results>/paper/numbers.csv",
        template=templates("release.md.j2"),
        citation=of_checkout("CITATION.cff"),
    output:
        directory("<results>/release"),
    log:
        "<logs>/make_release/make_release.log",
    conda:
        ENVIRONMENT
    params:
        runs=ALL_RUNS,
        config=config,
        code=code("make_release.py"),
    message:
        "Gathering the run in one folder to publish"
    script:
        "scripts/make_release.py"
