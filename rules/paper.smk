# tables and figures -> a folder that LaTeX makes a paper of; not part of `all`

# All that a paper may quote.
published = tables + search_results


# `snakemake paper` writes the folder; `snakemake <results>/paper/main.pdf` also runs pdflatex.
rule paper:
    input:
        "<results>/paper/main.tex",
        "<results>/paper/numbers.tex",


rule write_paper:
    input:
        # Those of errors by themselves: they are read with other columns as text.
        tables=[
            table
            for table in published
            if table.endswith(".csv") and table not in error_tables
        ],
        errors=error_tables,
        figures=expand("<results>/figures/{figure}.pdf", figure=drawn),
        template=templates("main.tex.j2"),
        citation=of_checkout("CITATION.cff"),
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
        variants=list(VARIANTS),
        code=code("reporting/write_paper.py"),
    message:
        "Writing the paper folder"
    script:
        "scripts/reporting/write_paper.py"


rule typeset_paper:
    input:
        rules.write_paper.output,
        folder="<results>/paper/main.tex",
    output:
        "<results>/paper/main.pdf",
    log:
        "<logs>/typeset_paper/typeset_paper.log",
    conda:
        ENVIRONMENT
    message:
        "Typesetting the paper with pdflatex"
    shell:
        # Twice, for the references; and the PDF carries no date.
        "said=$(realpath {log}) && cd $(dirname {input.folder})"
        " && export SOURCE_DATE_EPOCH=0 FORCE_SOURCE_DATE=1"
        " && for turn in 1 2; do"
        " pdflatex -interaction=nonstopmode -halt-on-error main.tex > $said; done"
