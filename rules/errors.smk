# decisions of all variants on test -> tables of errors -> a page to listen to them

error_tables = expand(
    "<results>/tables/{table}.csv",
    table=["errors", "errors_common", "errors_pairs", "error_sources"],
)
tables += error_tables

# Known before anything ran, so that the folder of clips can be an output, or none.
MOST_FAILURES = min(
    config["gallery"]["clips"], 2 * config["trials"]["items"]["test"] * len(NOISY)
)
IN_FOLDER = MOST_FAILURES > config["gallery"]["embedded"]


rule analyse_errors:
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=scores_of(FIRST_RUNS, "test", NOISY),
        calibration=calibrations_of(FIRST_RUNS),
        sources="<results>/corpus/sources.parquet",
    output:
        rates="<results>/tables/errors.csv",
        common="<results>/tables/errors_common.csv",
        pairs="<results>/tables/errors_pairs.csv",
        sources="<results>/tables/error_sources.csv",
    log:
        "<logs>/analyse_errors/analyse_errors.log",
    conda:
        ENVIRONMENT
    params:
        variants=list(VARIANTS),
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        code=code("analysis/analyse_errors.py"),
    message:
        "Counting the errors of all variants"
    script:
        "scripts/analysis/analyse_errors.py"


rule write_gallery:
    input:
        cells=rules.analyse_errors.input.cells,
        scores=rules.analyse_errors.input.scores,
        calibration=rules.analyse_errors.input.calibration,
        sources=rules.analyse_errors.input.sources,
        clean=f"<results>/trials/test/{CLEAN[0]}.parquet",
        rates="<results>/tables/errors.csv",
        common="<results>/tables/errors_common.csv",
        pairs="<results>/tables/errors_pairs.csv",
        ranked="<results>/tables/error_sources.csv",
        matrix="<results>/tables/matrix.csv",
        templates=templates(
            *(
                "errors.html.j2",
                "errors.css",
                "errors.js",
                "page.css",
                "table.html.j2",
            ),
            *("clip_player.html.j2", "clip_player.css", "clip_player.js"),
        ),
    output:
        page=report(
            "<results>/errors.html",
            caption="captions/errors.rst",
            category="Report",
            labels={"page": "failures to listen to"},
        ),
        audio=[directory("<results>/errors")] if IN_FOLDER else [],
    log:
        "<logs>/write_gallery/write_gallery.log",
    conda:
        ENVIRONMENT
    params:
        variants=list(VARIANTS),
        clips=config["gallery"]["clips"],
        clean_ms=GRID.clean_ms,
        code=code("reporting/write_errors_page.py"),
    message:
        "Writing the gallery of failures"
    script:
        "scripts/reporting/write_errors_page.py"
