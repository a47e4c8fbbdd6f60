# tables -> figures, pages, the paper's folder, the release

TABLES = Path(workflow.pathvars.apply("<results>/tables"))


# Of figures in Snakemake's own report, where a section's name does not say what they are.
SUBCATEGORIES = {"figures": "Detectors"}


# Warnings at the end of a run, where a reader sees them.
onsuccess:
    last_line.well()
    if (TABLES / "matrix.csv").exists() and workflow.is_main_process:
        # Here, since pandas would slow down every parse.
        import pandas as pd
        from speechdt.reporting.tables.enough import warnings
        from speechdt.reporting.tables.names import renamed
        from speechdt.reporting.tables.reading import read_table
        from speechdt.reporting.tables.skill import mass_warning, warning

        items = {
            split: pd.read_parquet(
                TABLES.parent / "trials" / split / "items.parquet"
            )
            for split in CROSSED
        }
        sources = pd.read_parquet(TABLES.parent / "corpus" / "sources.parquet")
        for line in warnings(sources, items):
            print(f"warning: few data: {line}", file=sys.stderr)
        matrix = renamed(read_table(TABLES / "matrix.csv"), products.names)
        if line := warning(matrix, products.names.values()):
            print(line, file=sys.stderr)
        biases = TABLES / "order_bias.csv"
        if experiment.asked and biases.exists():
            if line := mass_warning(renamed(read_table(biases), products.names)):
                print(line, file=sys.stderr)


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    draw_figure,
    write_display_tables,
    write_dataset_card,
    write_paper,
    typeset_paper,
    choose_ladder,
    write_report,
    write_gallery,
    write_inspection,


rule draw_figure:
    """A figure as SVG, PDF and PNG (figures/)."""
    input:
        lambda wildcards: products.tables_of(*FIGURES[wildcards.figure].tables),
    output:
        svg=report(
            "<results>/figures/{figure}.svg",
            caption="captions/figure.rst",
            category="Figures",
            subcategory=lambda wildcards: SUBCATEGORIES.get(
                FIGURES[wildcards.figure].section,
                FIGURES[wildcards.figure].section.capitalize(),
            ),
            labels=lambda wildcards: {"figure": FIGURES[wildcards.figure].title},
        ),
        pdf="<results>/figures/{figure}.pdf",
        png="<results>/figures/{figure}.png",
    log:
        "<logs>/draw_figure/{figure}.log",
    wildcard_constraints:
        figure=any_of(FIGURES),
    conda:
        ENVIRONMENT
    params:
        variants=list(experiment.variants),
        names=products.names,
        caption=lambda wildcards: FIGURES[wildcards.figure].caption,
        code=checkout.code("reporting/draw_figure.py"),
    message:
        "Drawing {wildcards.figure}"
    script:
        "scripts/reporting/draw_figure.py"


rule write_display_tables:
    """Tables for readers and papers (tables/*.md, *.tex)."""
    input:
        matrix="<results>/tables/matrix.csv",
        thresholds="<results>/tables/thresholds.csv",
        curves="<results>/tables/curves.csv",
        latency="<results>/tables/latency.csv",
        pareto="<results>/tables/pareto.csv",
        points="<results>/tables/operating_points.csv",
    output:
        products.text_tables,
    log:
        "<logs>/write_display_tables/write_display_tables.log",
    conda:
        ENVIRONMENT
    params:
        names=products.names,
        code=checkout.code("reporting/write_text_tables.py"),
    message:
        "Writing the tables as Markdown and LaTeX"
    script:
        "scripts/reporting/write_text_tables.py"


rule choose_ladder:
    """An item at every SNR, to hear in the report."""
    input:
        cells=products.cells("test", products.ladder_cells),
        scores=products.scores(
            experiment.first_runs.values(), "test", products.ladder_cells
        ),
        calibrations=products.calibrations(experiment.first_runs.values()),
    output:
        "<results>/metrics/ladder.parquet",
    log:
        "<logs>/choose_ladder/choose_ladder.log",
    conda:
        ENVIRONMENT
    params:
        runs=experiment.first_runs,
        code=checkout.code("reporting/choose_ladder.py"),
    message:
        "Choosing items to hear at every SNR"
    script:
        "scripts/reporting/choose_ladder.py"


rule write_report:
    """The report (report.html)."""
    input:
        matrix="<results>/tables/matrix.csv",
        metrics="<results>/tables/metrics.csv",
        thresholds="<results>/tables/thresholds.csv",
        curves="<results>/tables/curves.csv",
        latency="<results>/tables/latency.csv",
        pareto="<results>/tables/pareto.csv",
        comparisons="<results>/tables/comparisons.csv",
        surface="<results>/tables/surface.csv",
        contour="<results>/tables/contour.csv",
        verdict="<results>/tables/verdict.csv",
        levels="<results>/tables/levels.csv",
        presentations="<results>/tables/presentations.csv",
        threshold_sensitivity="<results>/tables/threshold_sensitivity.csv",
        giveaways=products.giveaway_tables,
        origins="<results>/tables/origins.csv",
        left_out=products.left_out_tables,
        operating_points="<results>/tables/operating_points.csv",
        roc="<results>/tables/roc.csv",
        cases="<results>/tables/cases.csv",
        score_shares="<results>/tables/score_shares.csv",
        errors="<results>/tables/errors.csv",
        ladder="<results>/metrics/ladder.parquet",
        versions=products.version_tables,
        to_hear=products.to_hear,
        conditions=products.condition_tables,
        foils=products.foil_tables,
        order_bias=products.asked_tables,
        adapters=products.adapter_tables,
        prompts=products.of_prompts,
        searches=expand(
            "<results>/prompts/{search}.json", search=experiment.used_searches
        ),
        figures=products.figures_of(products.drawn, ["svg"]),
        calibration=products.calibrations(experiment.first_runs.values()),
        latency_of=products.latencies,
        sources="<results>/corpus/sources.parquet",
        rejected="<results>/corpus/rejected.csv",
        left_out_recordings="<results>/corpus/left_out.csv",
        near_duplicates="<results>/corpus/near_duplicates.csv",
        chosen=expand("<results>/trials/{split}/items.parquet", split=CROSSED),
        hygiene=products.hygiene_tables,
        audit="<results>/trials/audit.csv",
        templates=checkout.templates(
            *("report.html.j2", "report/*", "report*.css", "report*.js", "page.css"),
            *("figure.html.j2", "table.html.j2", "wide_tables.js", "origins.html.j2"),
            *("clip_player.html.j2", "clip_player.css", "clip_player.js"),
        ),
        citation=checkout.file("CITATION.cff"),
        accepted=accepted_results,
    output:
        report(
            "<results>/report.html",
            caption="captions/report.rst",
            category="Report",
            labels={"page": "the whole report"},
        ),
    log:
        "<logs>/write_report/write_report.log",
    conda:
        ENVIRONMENT
    params:
        runs=experiment.first_runs,
        names=products.names,
        config=settings,
        code=checkout.code("reporting/write_report.py"),
    message:
        "Writing the report"
    script:
        "scripts/reporting/write_report.py"


rule write_gallery:
    """Errors of the detectors, to listen to (errors.html)."""
    input:
        cells=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
        scores=products.scores(experiment.first_runs.values(), "test", NOISY),
        calibrations=products.calibrations(experiment.first_runs.values()),
        sources="<results>/corpus/sources.parquet",
        clean=f"<results>/trials/test/{CLEAN[0]}.parquet",
        rates="<results>/tables/errors.csv",
        common="<results>/tables/errors_common.csv",
        pairs="<results>/tables/errors_pairs.csv",
        ranked="<results>/tables/error_sources.csv",
        matrix="<results>/tables/matrix.csv",
        templates=checkout.templates(
            *(
                "errors.html.j2",
                "errors.css",
                "errors.js",
                "page.css",
                "table.html.j2",
                "wide_tables.js",
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
        audio=[directory("<results>/errors")] if products.errors_in_folder else [],
    log:
        "<logs>/write_gallery/write_gallery.log",
    conda:
        ENVIRONMENT
    params:
        runs=experiment.first_runs,
        names=products.names,
        clips=settings["gallery"]["clips"],
        clean_ms=experiment.grid.clean_ms,
        code=checkout.code("reporting/write_errors_page.py"),
    message:
        "Writing the gallery of failures"
    script:
        "scripts/reporting/write_errors_page.py"


rule write_inspection:
    """Recordings and trials to listen to (corpus/inspect.html)."""
    input:
        sources="<results>/corpus/sources.parquet",
        cells=expand(
            "<results>/trials/{split}/{cell}.parquet", split=CROSSED, cell=NOISY
        ),
        flags=products.flags,
        to_hear=products.to_hear,
        conditions=expand(
            "<results>/trials/conditions/{key}.parquet", key=played.rendered
        ),
        templates=checkout.templates(
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
        conditions=[condition._asdict() for condition in played.conditions],
        seed=settings["seed"],
        code=checkout.code("reporting/write_inspection.py"),
    message:
        "Drawing recordings and trials to listen to"
    script:
        "scripts/reporting/write_inspection.py"


rule write_dataset_card:
    """A description of the trials (trials/README.md)."""
    input:
        sources="<results>/corpus/sources.parquet",
        # The page says that the leak audit passed.
        audit="<results>/trials/audit.csv",
        cells=products.described,
        flags=products.flags,
        template=checkout.templates("trials_card.md.j2"),
    output:
        "<results>/trials/README.md",
    log:
        "<logs>/write_dataset_card/write_dataset_card.log",
    conda:
        ENVIRONMENT
    params:
        grid=experiment.grid._asdict(),
        corpora=settings["corpus"],
        settings={
            "seed": settings["seed"],
            "level": settings["trials"]["level"],
            "least_active": settings["trials"]["least_active"],
            "flag_by": settings["hygiene"]["flag_by"],
        },
        code=checkout.code("reporting/write_dataset_card.py"),
    message:
        "Describing the trials"
    script:
        "scripts/reporting/write_dataset_card.py"


# `snakemake paper` writes the folder; `snakemake <results>/paper/main.pdf` also runs pdflatex.
rule paper:
    """The paper's folder, without typesetting it (paper/)."""
    input:
        "<results>/paper/main.tex",
        "<results>/paper/numbers.tex",


rule write_paper:
    """Text, numbers, tables and figures of the paper (paper/)."""
    input:
        # Tables of errors have an input of their own: other columns of theirs are text.
        tables=[
            table
            for table in products.published
            if table.endswith(".csv") and table not in products.error_tables
        ],
        errors=products.error_tables,
        figures=products.figures_of(products.drawn, ["pdf"]),
        template=checkout.templates("main.tex.j2"),
        citation=checkout.file("CITATION.cff"),
    output:
        main="<results>/paper/main.tex",
        numbers="<results>/paper/numbers.tex",
        provenance="<results>/paper/numbers.csv",
        tables=directory("<results>/paper/tables"),
        figures=directory("<results>/paper/figures"),
    log:
        "<logs>/write_paper/write_paper.log",
    conda:
        ENVIRONMENT
    params:
        names=products.names,
        code=checkout.code("reporting/write_paper.py"),
    message:
        "Writing the paper folder"
    script:
        "scripts/reporting/write_paper.py"


rule typeset_paper:
    """The paper as PDF, by pdflatex (paper/main.pdf)."""
    input:
        rules.write_paper.output,
        folder="<results>/paper/main.tex",
    output:
        "<results>/paper/main.pdf",
    log:
        "<logs>/typeset_paper/typeset_paper.log",
    conda:
        ENVIRONMENT
    params:
        code=checkout.code("reporting/typeset_paper.py"),
    message:
        "Typesetting the paper with pdflatex"
    script:
        "scripts/reporting/typeset_paper.py"


# `snakemake release`
rule release:
    """The whole run as a folder to publish (release/)."""
    input:
        "<results>/release",


rule make_release:
    """Files, manifest, checksums and provenance of the release."""
    input:
        cells=products.described,
        scores=[
            score
            for split in CROSSED
            for score in products.scores(experiment.matrix_runs, split, CELLS)
        ],
        calibration=products.calibrations(experiment.matrix_runs),
        adapters=expand("<results>/adapters/{adapter}", adapter=experiment.trained),
        cards=products.cards,
        dataset_card="<results>/trials/README.md",
        prompts=expand(
            "<results>/prompts/{search}.json", search=experiment.used_searches
        ),
        sources="<results>/corpus/sources.parquet",
        flags=products.flags,
        tables=products.published,
        figures=products.figures,
        pages=[
            "<results>/report.html",
            *rules.write_gallery.output,
        ],
        numbers="<results>/paper/numbers.csv",
        template=checkout.templates("release.md.j2"),
        citation=checkout.file("CITATION.cff"),
        accepted=accepted_results,
    output:
        directory("<results>/release"),
    log:
        "<logs>/make_release/make_release.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        runs=experiment.matrix_runs,
        names=products.names,
        config=settings,
        code=checkout.code("reporting/make_release.py"),
    message:
        "Gathering the run in one folder to publish"
    script:
        "scripts/reporting/make_release.py"
