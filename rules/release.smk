# a finished run -> one folder to publish; not part of `all`

# Adapters that a variant uses, and then the clips they learned from.
RELEASED_ADAPTERS = sorted(
    {
        Path(options["adapter"]).name
        for options in OPTIONS.values()
        if str(options.get("adapter") or "").startswith(f"{TRAINED_ADAPTERS}/")
    }
)


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
            cell=NOISY if RELEASED_ADAPTERS else [],
        ),
        scores=expand(
            "<results>/scores/{variant}/{split}/{cell}.parquet",
            variant=VARIANTS,
            split=CROSSED,
            cell=CELLS,
        ),
        calibration=expand("<results>/calibration/{variant}.json", variant=VARIANTS),
        adapters=expand("<results>/adapters/{adapter}", adapter=RELEASED_ADAPTERS),
        sources="<results>/corpus/sources.parquet",
        tables=tables,
        figures=figures,
        pages=[
            "<results>/report.html",
            *rules.write_gallery.output,
        ],
        numbers="<results>/paper/numbers.csv",
        templates=expand(
            Path(workflow.basedir) / "speechdt" / "templates" / "{file}",
            file=["release.md.j2", "dataset_card.md.j2"],
        ),
        citation=Path(workflow.basedir) / "CITATION.cff",
    output:
        directory("<results>/release"),
    log:
        "<logs>/make_release/make_release.log",
    conda:
        ENVIRONMENT
    params:
        variants=list(VARIANTS),
        config=config,
        code=code("make_release.py"),
    message:
        "Gathering the run in one folder to publish"
    script:
        "scripts/make_release.py"
