# what the wording of a question does to a language model: option order, the bank, searches

ASKED = [run for of in RUNS.values() for run in of if in_both_orders(run)]


rule measure_order_bias:
    input:
        models=own_models,
        search=own_search,
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        "<results>/prompts/order_bias/{variant}.json",
    log:
        "<logs>/measure_order_bias/{variant}.log",
    conda:
        ENVIRONMENT
    resources:
        gpu=gpus,
    params:
        backend=lambda wildcards: SCORED[wildcards.variant]["backend"],
        options=options,
        detector=detector_code,
        code=code("measure_order_bias.py"),
    message:
        "Asking {wildcards.variant} with its options in both orders"
    script:
        "scripts/measure_order_bias.py"


rule collect_order_bias:
    input:
        expand("<results>/prompts/order_bias/{variant}.json", variant=ASKED),
    output:
        "<results>/tables/order_bias.csv",
    log:
        "<logs>/collect_order_bias/collect_order_bias.log",
    conda:
        ENVIRONMENT
    params:
        variants=ASKED,
        code=code("collect_order_bias.py"),
    message:
        "Collecting the biases of option order"
    script:
        "scripts/collect_order_bias.py"


rule score_bank:
    input:
        models=search_models,
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
    output:
        "<results>/prompts/bank/{search}.csv",
    log:
        "<logs>/score_bank/{search}.log",
    benchmark:
        "<benchmarks>/score_bank/{search}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=search_gpus,
    params:
        backend=search_backend,
        options=search_options,
        model=search_model,
        baseline=lambda wildcards: SEARCHES[wildcards.search].entry["prompt"],
        prompts=config["prompts"],
        replicates=config["bootstrap"]["replicates"],
        seed=config["seed"],
        detector=search_code,
        code=code("score_bank.py"),
    message:
        "Asking every prompt of the bank on dev, for search {wildcards.search}"
    script:
        "scripts/score_bank.py"


# Dev alone: no file of test goes in.
rule search_prompts:
    input:
        models=search_models,
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        bank="<results>/prompts/bank/{search}.csv",
    output:
        "<results>/prompts/{search}.json",
    log:
        "<logs>/search_prompts/{search}.log",
    benchmark:
        "<benchmarks>/search_prompts/{search}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=search_gpus,
    params:
        backend=search_backend,
        options=search_options,
        model=search_model,
        settings=lambda wildcards: SEARCHES[wildcards.search].settings.told(),
        prompts=config["prompts"],
        seed=config["seed"],
        detector=search_code,
        code=code("search_prompts.py"),
    message:
        "Searching for a prompt on dev, and at random as well: {wildcards.search}"
    script:
        "scripts/search_prompts.py"


rule score_searched:
    input:
        models=search_models,
        search="<results>/prompts/{search}.json",
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        test=expand("<results>/trials/test/{cell}.parquet", cell=NOISY),
    output:
        "<results>/prompts/searched/{search}.parquet",
    log:
        "<logs>/score_searched/{search}.log",
    conda:
        ENVIRONMENT
    resources:
        gpu=search_gpus,
    params:
        backend=search_backend,
        options=search_options,
        detector=search_code,
        code=code("score_searched.py"),
    message:
        "Scoring dev and test with the prompts of search {wildcards.search}"
    script:
        "scripts/score_searched.py"


rule compare_searches:
    input:
        searches=expand("<results>/prompts/{search}.json", search=USED_SEARCHES),
        scores=expand(
            "<results>/prompts/searched/{search}.parquet", search=USED_SEARCHES
        ),
    output:
        csv="<results>/tables/searches.csv",
        md="<results>/tables/searches.md",
    log:
        "<logs>/compare_searches/compare_searches.log",
    conda:
        ENVIRONMENT
    params:
        replicates=config["bootstrap"]["replicates"],
        permutations=config["comparisons"]["permutations"],
        seed=config["seed"],
        code=code("compare_searches.py"),
    message:
        "Comparing what searches found with random search and the baseline"
    script:
        "scripts/compare_searches.py"


rule collect_bank:
    input:
        expand("<results>/prompts/bank/{search}.csv", search=USED_SEARCHES),
    output:
        csv="<results>/tables/prompts.csv",
        md="<results>/tables/prompts.md",
    log:
        "<logs>/collect_bank/collect_bank.log",
    conda:
        ENVIRONMENT
    params:
        code=code("collect_bank.py"),
    message:
        "Collecting the prompts of the bank"
    script:
        "scripts/collect_bank.py"


rule draw_prompts:
    input:
        "<results>/tables/prompts.csv",
    output:
        svg="<results>/figures/prompts.svg",
        pdf="<results>/figures/prompts.pdf",
        png="<results>/figures/prompts.png",
    log:
        "<logs>/draw_prompts/draw_prompts.log",
    conda:
        ENVIRONMENT
    params:
        code=code("draw_prompts.py"),
    message:
        "Drawing the prompts of the bank"
    script:
        "scripts/draw_prompts.py"


bank_results = (
    expand("<results>/tables/prompts.{format}", format=["csv", "md"])
    + expand("<results>/figures/prompts.{format}", format=["svg", "pdf", "png"])
    if USED_SEARCHES
    else []
)
search_results = (
    expand("<results>/tables/searches.{format}", format=["csv", "md"])
    if USED_SEARCHES
    else []
)

# What the report says of prompts: the bank, what searches were worth, and a figure.
report_of_prompts = [
    path
    for path in bank_results + search_results
    if Path(path).suffix in (".csv", ".svg")
]


rule prompts:
    input:
        bank_results,
