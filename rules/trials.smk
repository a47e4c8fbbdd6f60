# sources -> items (which crop before which background) -> cells (audio) -> audit, balance


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    choose_items,
    check_growth,


rule choose_items:
    """Items: a crop before a background (trials/{split}/items.parquet)."""
    input:
        "<results>/corpus/sources.parquet",
    output:
        "<results>/trials/{split}/items.parquet",
    log:
        "<logs>/choose_items/{split}.log",
    conda:
        ENVIRONMENT
    params:
        grid=experiment.grid._asdict(),
        trials=settings["trials"],
        without=lambda wildcards: experiment.train_sets.get(wildcards.split),
        seed=settings["seed"],
        code=checkout.code("trials/choose_items.py"),
    message:
        "Choosing the items of {wildcards.split}"
    script:
        "scripts/trials/choose_items.py"


rule render_trials:
    """The clips of dev and test (trials/)."""
    input:
        "<results>/trials/{split}/items.parquet",
    output:
        expand("<results>/trials/{{split}}/{cell}.parquet", cell=CELLS),
    log:
        "<logs>/render_trials/{split}.log",
    benchmark:
        "<benchmarks>/render_trials/{split}.tsv"
    wildcard_constraints:
        split=any_of(CROSSED),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=240,
    params:
        grid=experiment.grid._asdict(),
        level=settings["trials"]["level"],
        seed=settings["seed"],
        code=checkout.code("trials/render_trials.py"),
    message:
        "Rendering the trials of {wildcards.split}"
    script:
        "scripts/trials/render_trials.py"


use rule render_trials as render_train with:
    """The clips of train."""
    input:
        "<results>/trials/train{without}/items.parquet",
    output:
        # Snakemake compares every file with every output that begins alike: not with {split}.
        expand("<results>/trials/train{{without}}/{cell}.parquet", cell=NOISY),
    log:
        "<logs>/render_trials/train{without}.log",
    benchmark:
        "<benchmarks>/render_trials/train{without}.tsv"
    wildcard_constraints:
        without=f"(-without-({any_of(experiment.left_out_corpora)}))?",
    message:
        "Rendering the trials of train{wildcards.without}"


rule leave_out_of_dev:
    """Dev without a corpus."""
    input:
        cells=expand("<results>/trials/dev/{cell}.parquet", cell=NOISY),
        sources="<results>/corpus/sources.parquet",
    output:
        expand("<results>/trials/dev-without-{{corpus}}/{cell}.parquet", cell=NOISY),
    log:
        "<logs>/leave_out_of_dev/{corpus}.log",
    wildcard_constraints:
        corpus=any_of(experiment.left_out_corpora),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=checkout.code("trials/leave_out_of_dev.py"),
    message:
        "Leaving {wildcards.corpus} out of dev"
    script:
        "scripts/trials/leave_out_of_dev.py"


rule check_growth:
    """Train at every size that it grows through."""
    input:
        chosen="<results>/trials/{split}/items.parquet",
        sources="<results>/corpus/sources.parquet",
    output:
        "<results>/trials/{split}/growth.csv",
    log:
        "<logs>/check_growth/{split}.log",
    wildcard_constraints:
        split=any_of(experiment.train_sets),
    conda:
        ENVIRONMENT
    params:
        without=lambda wildcards: experiment.train_sets[wildcards.split],
        backgrounds=settings["trials"]["train_backgrounds"],
        least_active=settings["trials"]["least_active"],
        sizes=settings["trials"]["growing"],
        code=checkout.code("trials/check_growth.py"),
    message:
        "Checking {wildcards.split} at every size it grows through"
    script:
        "scripts/trials/check_growth.py"


rule audit_leaks:
    """Leak audit: whatever two splits share (trials/audit.csv)."""
    input:
        sources="<results>/corpus/sources.parquet",
        prints="<results>/corpus/fingerprints.parquet",
        dev=expand("<results>/trials/dev/{cell}.parquet", cell=CELLS),
        test=expand("<results>/trials/test/{cell}.parquet", cell=CELLS),
    output:
        "<results>/trials/audit.csv",
    log:
        "<logs>/audit_leaks/audit_leaks.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=240,
    params:
        code=checkout.code("trials/audit_leaks.py"),
    message:
        "Looking for anything that two splits share"
    script:
        "scripts/trials/audit_leaks.py"
