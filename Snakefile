configfile: "workflow_config.yaml"


include: "rules/common.smk"
include: "rules/hygiene.smk"  # first, since corpus leaves out what it objects to
include: "rules/corpus.smk"
include: "rules/trials.smk"
include: "rules/growth.smk"
include: "rules/inspection.smk"
include: "rules/models.smk"
include: "rules/training.smk"
include: "rules/prompts.smk"
include: "rules/scores.smk"
include: "rules/analysis.smk"
include: "rules/fairness.smk"
include: "rules/leave_one_out.smk"
include: "rules/verdict.smk"
include: "rules/reporting.smk"
include: "rules/errors.smk"
include: "rules/paper.smk"
include: "rules/release.smk"


rule all:
    default_target: True
    input:
        tables,
        figures,
        cards,
        hygiene,
        bank_results,
        search_results,
        inspection,
        "<results>/report.html",
        "<results>/errors.html",
