# tables of all variants -> figures, tables for people -> one page

from speechdt.figures import FIGURES, FORMATS, OF_ADAPTERS

drawn = [figure for figure in FIGURES if ADAPTED or figure not in OF_ADAPTERS]
figures = expand("<results>/figures/{figure}.{format}", figure=drawn, format=FORMATS)
displayed = expand(
    "<results>/tables/{table}",
    table=[
        "matrix.md",
        "matrix.tex",
        "thresholds.md",
        "thresholds.tex",
        "latency.md",
    ],
)
tables = displayed + expand(
    "<results>/tables/{table}.csv",
    table=[
        "matrix",
        "metrics",
        "reliability",
        "thresholds",
        "curves",
        "latency",
        "pareto",
        "comparisons",
        "surface",
        "contour",
        "threshold_sensitivity",
    ],
)

asked_tables = ["<results>/tables/order_bias.csv"] if ASKED else []
adapter_tables = ["<results>/tables/adapters.csv"] if ADAPTED else []
cards = expand("<results>/cards/{adapter}.md", adapter=USED_ADAPTERS)
tables += asked_tables + adapter_tables
# Only where something is trained, since train's clips are rendered for that alone.
giveaway_tables = ["<results>/tables/giveaways.csv"] if TRAINED else []
tables += giveaway_tables
if LEFT_OUT:
    tables += rules.compare_left_out.output
tables += expand("<results>/tables/verdict.{kind}", kind=["md", "csv"])


rule draw_figure:
    input:
        lambda wildcards: expand(
            "<results>/tables/{table}.csv", table=FIGURES[wildcards.figure].tables
        ),
    output:
        svg=report(
            "<results>/figures/{figure}.svg",
            caption="captions/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        pdf="<results>/figures/{figure}.pdf",
        png="<results>/figures/{figure}.png",
    log:
        "<logs>/draw_figure/{figure}.log",
    wildcard_constraints:
        figure="|".join(FIGURES),
    conda:
        ENVIRONMENT
    params:
        variants=list(VARIANTS),
        caption=lambda wildcards: FIGURES[wildcards.figure].caption,
        code=code("draw_figure.py"),
    message:
        "Drawing {wildcards.figure}"
    script:
        "scripts/draw_figure.py"


rule write_display_tables:
    input:
        matrix="<results>/tables/matrix.csv",
        thresholds="<results>/tables/thresholds.csv",
        curves="<results>/tables/curves.csv",
        latency="<results>/tables/latency.csv",
        pareto="<results>/tables/pareto.csv",
    output:
        displayed,
    log:
        "<logs>/write_display_tables/write_display_tables.log",
    conda:
        ENVIRONMENT
    params:
        code=code("write_display_tables.py"),
    message:
        "Writing the tables as Markdown and LaTeX"
    script:
        "scripts/write_display_tables.py"


rule write_report:
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
        threshold_sensitivity="<results>/tables/threshold_sensitivity.csv",
        giveaways=giveaway_tables,
        left_out=left_out_tables,
        order_bias=asked_tables,
        adapters=adapter_tables,
        prompts=report_of_prompts,
        searches=expand("<results>/prompts/{search}.json", search=USED_SEARCHES),
        figures=expand("<results>/figures/{figure}.svg", figure=drawn),
        calibration=calibrations_of(FIRST_RUNS),
        latency_of=latencies,
        sources="<results>/corpus/sources.parquet",
        rejected="<results>/corpus/rejected.csv",
        chosen=expand("<results>/trials/{split}/items.parquet", split=CROSSED),
        hygiene=hygiene,
        audit="<results>/trials/audit.csv",
        template=templates("report.html.j2"),
        citation=of_checkout("CITATION.cff"),
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
        variants=list(VARIANTS),
        config=config,
        code=code("write_report.py"),
    message:
        "Writing the report"
    script:
        "scripts/write_report.py"
