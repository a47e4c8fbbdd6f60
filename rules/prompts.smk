# what the wording of a question does to a language model: option order, the bank, searches

# Searches start from the bank: more replicates of the tables' intervals shall not search anew.
BANK_REPLICATES = 1000


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    collect_order_bias,
    collect_bank,


rule measure_order_bias:
    """Answers of a language model in both orders of the options."""
    input:
        models=of_run("made"),
        search=search_of,
        choice=choice_of(of_run, "name"),
        asked=further_on_base,
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        "<results>/prompts/order_bias/{run}.json",
    log:
        "<logs>/measure_order_bias/{run}.log",
    benchmark:
        "<benchmarks>/measure_order_bias/{run}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=alone(run_memory, TORCH_MB),
        runtime=120,
        gpu=alone(of_run("gpus"), 0),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        presentation=of_run("presentation"),
        detector=code_of(of_run),
        code=checkout.code("prompts/measure_order_bias.py"),
    message:
        "Asking {wildcards.run} with its options in both orders"
    script:
        "scripts/prompts/measure_order_bias.py"


rule collect_order_bias:
    """Bias by the order of the options, of all models (tables/order_bias.csv)."""
    input:
        expand("<results>/prompts/order_bias/{run}.json", run=experiment.asked),
    output:
        "<results>/tables/order_bias.csv",
    log:
        "<logs>/collect_order_bias/collect_order_bias.log",
    conda:
        ENVIRONMENT
    params:
        variants=experiment.asked,
        code=checkout.code("prompts/collect_order_bias.py"),
    message:
        "Collecting the biases of option order"
    script:
        "scripts/prompts/collect_order_bias.py"


rule score_bank_part:
    """A share of dev that every prompt of the bank is asked about."""
    input:
        models=of_search("made"),
        choice=choice_of(of_search, "chooser"),
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        "<results>/parts/bank/{search}/{scatteritem}.txt",
    log:
        "<logs>/score_bank_part/{search}.{scatteritem}.log",
    benchmark:
        "<benchmarks>/score_bank_part/{search}.{scatteritem}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=search_memory,
        runtime=240,
        gpu=of_search("gpus"),
    params:
        backend=of_search("backend"),
        options=of_search("options"),
        presentation=of_search("presentation"),
        prompts=settings["prompts"],
        detector=code_of(of_search),
        code=checkout.code("prompts/score_bank_part.py"),
    message:
        "Asking the bank on dev, for search {wildcards.search}, {wildcards.scatteritem}"
    script:
        "scripts/prompts/score_bank_part.py"


rule collect_bank:
    """The bank's prompts on dev, of all searches (tables/prompts.csv)."""
    input:
        expand("<results>/prompts/bank/{search}.csv", search=experiment.used_searches),
    output:
        csv="<results>/tables/prompts.csv",
        md="<results>/tables/prompts.md",
    log:
        "<logs>/collect_bank/collect_bank.log",
    conda:
        ENVIRONMENT
    params:
        code=checkout.code("prompts/collect_bank.py"),
    message:
        "Collecting the prompts of the bank"
    script:
        "scripts/prompts/collect_bank.py"


# Dev alone: no file of test goes in. The bank and the search are one job, which reads a model once.
rule search_prompts:
    """Every prompt of the bank, a search for a prompt, and a random one, on dev."""
    input:
        models=of_search("made"),
        choice=choice_of(of_search, "chooser"),
        parts=parts_of("bank", "<results>/parts/bank/{{search}}/{scatteritem}.txt"),
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        bank="<results>/prompts/bank/{search}.csv",
        found="<results>/prompts/{search}.json",
    log:
        "<logs>/search_prompts/{search}.log",
    benchmark:
        "<benchmarks>/search_prompts/{search}.tsv"
    priority: 4
    conda:
        ENVIRONMENT
    resources:
        mem_mb=search_memory,
        runtime=960,
        gpu=of_search("gpus"),
    params:
        backend=of_search("backend"),
        options=of_search("options"),
        presentation=of_search("presentation"),
        model=of_search("label"),
        baseline=of_search("baseline"),
        settings=lambda wildcards: of_search("settings")(wildcards).to_dict(),
        prompts=settings["prompts"],
        replicates=BANK_REPLICATES,
        seed=settings["seed"],
        detector=code_of(of_search),
        code=checkout.code("prompts/search_prompts.py"),
    message:
        "Searching for a prompt on dev, from the bank on, and at random as well: {wildcards.search}"
    script:
        "scripts/prompts/search_prompts.py"


rule score_searched:
    """Scores of the prompts that a search found."""
    input:
        models=of_search("made"),
        choice=choice_of(of_search, "chooser"),
        search="<results>/prompts/{search}.json",
        asked=asked_on_base,
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        test=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
    output:
        "<results>/prompts/searched/{search}.parquet",
    log:
        "<logs>/score_searched/{search}.log",
    benchmark:
        "<benchmarks>/score_searched/{search}.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=alone(search_memory, TORCH_MB),
        runtime=240,
        gpu=alone(of_search("gpus"), 0),
    params:
        backend=of_search("backend"),
        options=of_search("options"),
        presentation=of_search("presentation"),
        detector=code_of(of_search),
        code=checkout.code("prompts/score_searched.py"),
    message:
        "Scoring dev and test with the prompts of search {wildcards.search}"
    script:
        "scripts/prompts/score_searched.py"


rule compare_searches:
    """Gains of searches over their controls (tables/searches.csv)."""
    input:
        searches=expand(
            "<results>/prompts/{search}.json", search=experiment.used_searches
        ),
        scores=expand(
            "<results>/prompts/searched/{search}.parquet",
            search=experiment.used_searches,
        ),
    output:
        csv="<results>/tables/searches.csv",
        md="<results>/tables/searches.md",
    log:
        "<logs>/compare_searches/compare_searches.log",
    benchmark:
        "<benchmarks>/compare_searches/compare_searches.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        replicates=settings["bootstrap"]["replicates"],
        permutations=settings["comparisons"]["permutations"],
        seed=settings["seed"],
        code=checkout.code("prompts/compare_searches.py"),
    message:
        "Comparing what searches found with random search and the baseline"
    script:
        "scripts/prompts/compare_searches.py"


rule prompts:
    """The bank and all searches that a variant uses."""
    input:
        products.bank,
