import gc

# A plan is a large graph in which little becomes garbage: looking for it less often saves time.
gc.set_threshold(100_000, 50, 50)


configfile: f"{workflow.current_basedir}/workflow_config.yaml"


include: "rules/common.smk"
include: "rules/jobs.smk"
include: "rules/bases.smk"
include: "rules/corpus.smk"
include: "rules/trials.smk"
include: "rules/training.smk"
include: "rules/prompts.smk"
include: "rules/scores.smk"
include: "rules/analysis.smk"
include: "rules/conditions.smk"
include: "rules/reporting.smk"
include: "rules/manifest.smk"


rule all:
    """Tables, figures, report.html and errors.html of the whole run."""
    default_target: True
    input:
        products.tables,
        products.figures,
        products.cards,
        products.hygiene_tables,
        products.bank,
        products.searches,
        products.inspection,
        "<results>/report.html",
        "<results>/errors.html",
