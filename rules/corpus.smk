# recordings -> index (what is usable) -> hygiene (what detectors hear in them) -> split

from speechdt.corpus.file_states import folder_state

HYGIENE = settings["hygiene"]


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    count_hygiene,
    flag_sources,
    split_sources,


rule index_corpus:
    """Every recording, read once (corpus/index.parquet)."""
    output:
        index="<results>/corpus/index.parquet",
        rejected="<results>/corpus/rejected.csv",
    log:
        "<logs>/index_corpus/index_corpus.log",
    benchmark:
        "<benchmarks>/index_corpus/index_corpus.tsv"
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=240,
        # Not among the params, where the next run would see a change.
        anew=lambda wildcards: read_anew(workflow.dag_settings),
    params:
        corpora=settings["corpus"],
        # Names, sizes and times of the recordings, and contents: a new file reruns the index.
        files=[
            folder_state(corpus["path"], Path(results, "cache", "index.sqlite"))
            for corpus in settings["corpus"]
            if "path" in corpus
        ],
        shortest_ms=min(experiment.grid.duration_ms),
        code=checkout.code("corpus/index_corpus.py", "files.py"),
    message:
        "Reading the recordings"
    script:
        "scripts/corpus/index_corpus.py"


rule measure_hygiene_part:
    """A share of what a hygiene check hears."""
    input:
        "<results>/corpus/index.parquet",
    output:
        "<results>/parts/hygiene/{check}/{scatteritem}.txt",
    log:
        "<logs>/measure_hygiene_part/{check}.{scatteritem}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=check_memory,
        runtime=240,
        gpu=lambda wildcards: of_check("detector")(wildcards).gpus,
    params:
        backend=of_check("backend"),
        options=of_check("options"),
        presentation=of_check("presentation"),
        detector=code_of(of_check),
        code=checkout.code("corpus/measure_hygiene_part.py"),
    message:
        "Listening to recordings with {wildcards.check} ({params.backend}), {wildcards.scatteritem}"
    script:
        "scripts/corpus/measure_hygiene_part.py"


rule measure_hygiene:
    """P(speech) of every recording by a hygiene check's detector."""
    input:
        "<results>/corpus/index.parquet",
        parts=parts_of("hygiene", "<results>/parts/hygiene/{{check}}/{scatteritem}.txt"),
    output:
        "<results>/corpus/hygiene/{check}.parquet",
    log:
        "<logs>/measure_hygiene/{check}.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=check_memory,
        runtime=240,
        gpu=lambda wildcards: of_check("detector")(wildcards).gpus,
    params:
        backend=of_check("backend"),
        options=of_check("options"),
        presentation=of_check("presentation"),
        detector=code_of(of_check),
        code=checkout.code("corpus/measure_hygiene.py"),
    message:
        "Listening to every recording with {wildcards.check} ({params.backend})"
    script:
        "scripts/corpus/measure_hygiene.py"


rule count_hygiene:
    """Recordings that each check objects to, counted (tables/hygiene.csv)."""
    input:
        index="<results>/corpus/index.parquet",
        scores=expand(
            "<results>/corpus/hygiene/{check}.parquet", check=experiment.checks
        ),
    output:
        "<results>/tables/hygiene.csv",
    log:
        "<logs>/count_hygiene/count_hygiene.log",
    conda:
        ENVIRONMENT
    params:
        thresholds={name: check.thresholds for name, check in experiment.checks.items()},
        code=checkout.code("corpus/count_hygiene.py"),
    message:
        "Counting what hygiene would remove"
    script:
        "scripts/corpus/count_hygiene.py"


# Beside the trials, not in them: an edit of the check's detector renders and scores nothing anew.
rule flag_sources:
    """Recordings that the chosen check objects to (corpus/flags.parquet)."""
    input:
        index="<results>/corpus/index.parquet",
        scores=f"<results>/corpus/hygiene/{HYGIENE['flag_by']}.parquet",
    output:
        "<results>/corpus/flags.parquet",
    log:
        "<logs>/flag_sources/flag_sources.log",
    conda:
        ENVIRONMENT
    params:
        check=HYGIENE["flag_by"],
        thresholds=(
            experiment.checks[HYGIENE["flag_by"]].thresholds
            if HYGIENE["flag_by"]
            else {}
        ),
        code=checkout.code("corpus/flag_sources.py"),
    message:
        "Flagging what {params.check} objects to"
    script:
        "scripts/corpus/flag_sources.py"


rule find_near_duplicates:
    """Groups that share audio (corpus/near_duplicates.csv)."""
    input:
        index="<results>/corpus/index.parquet",
        prints="<results>/corpus/fingerprints.parquet",
    output:
        "<results>/corpus/near_duplicates.csv",
    log:
        "<logs>/find_near_duplicates/find_near_duplicates.log",
    benchmark:
        "<benchmarks>/find_near_duplicates/find_near_duplicates.tsv"
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=120,
    params:
        code=checkout.code("corpus/find_near_duplicates.py"),
    message:
        "Looking for groups that share audio"
    script:
        "scripts/corpus/find_near_duplicates.py"


rule split_sources:
    """Train, dev and test (corpus/sources.parquet)."""
    input:
        index="<results>/corpus/index.parquet",
        rejected="<results>/corpus/rejected.csv",
        near_duplicates="<results>/corpus/near_duplicates.csv",
        marks=experiment.marks,
        # Only where flagged recordings are to be removed; else flags are used with the scores.
        flags=products.flags if HYGIENE["remove"] else [],
    output:
        sources="<results>/corpus/sources.parquet",
        left_out="<results>/corpus/left_out.csv",
    log:
        "<logs>/split_sources/split_sources.log",
    conda:
        ENVIRONMENT
    params:
        nested_ms=experiment.grid.nested_ms,
        seed=settings["seed"],
        held_out=settings["trials"]["held_out"],
        per_class=settings["trials"]["items"],
        categories=settings["trials"]["categories"],
        least_active=settings["trials"]["least_active"],
        unseen=settings["trials"]["unseen_origins"],
        flag_by=HYGIENE["flag_by"] if HYGIENE["remove"] else "",
        near_duplicates=settings["near_duplicates"],
        clean_ms=experiment.grid.clean_ms,
        code=checkout.code("corpus/split_sources.py"),
    message:
        "Putting speakers and recording families into train, dev and test"
    script:
        "scripts/corpus/split_sources.py"


rule fingerprint_sources:
    """Fingerprints of the recordings (corpus/fingerprints.parquet)."""
    input:
        "<results>/corpus/index.parquet",
    output:
        "<results>/corpus/fingerprints.parquet",
    log:
        "<logs>/fingerprint_sources/fingerprint_sources.log",
    benchmark:
        "<benchmarks>/fingerprint_sources/fingerprint_sources.tsv"
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=240,
    params:
        code=checkout.code("corpus/fingerprint_sources.py"),
    message:
        "Fingerprinting the recordings"
    script:
        "scripts/corpus/fingerprint_sources.py"
