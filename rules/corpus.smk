# corpus (audio files) -> index (what is usable) -> sources (with their split)

from speechdt.files import fingerprint


rule index_corpus:
    output:
        index="<results>/corpus/index.parquet",
        rejected="<results>/corpus/rejected.csv",
    log:
        "<logs>/index_corpus/index_corpus.log",
    benchmark:
        "<benchmarks>/index_corpus/index_corpus.tsv"
    conda:
        ENVIRONMENT
    threads: workflow.cores
    params:
        corpora=config["corpus"],
        # Names, sizes and times of the recordings: a new file reruns the index.
        files=[
            fingerprint(corpus["path"])
            for corpus in config["corpus"]
            if "path" in corpus
        ],
        shortest_ms=min(GRID.duration_ms),
        code=code("corpus/index_corpus.py"),
    message:
        "Reading the recordings"
    script:
        "scripts/corpus/index_corpus.py"


rule split_sources:
    input:
        index="<results>/corpus/index.parquet",
        marks=MARKS,
        # Only where flagged recordings are to be removed; else flags meet the scores at the end.
        flags=FLAGS if REMOVE else [],
    output:
        sources="<results>/corpus/sources.parquet",
        left_out="<results>/corpus/left_out.csv",
    log:
        "<logs>/split_sources/split_sources.log",
    conda:
        ENVIRONMENT
    params:
        nested_ms=GRID.nested_ms,
        seed=config["seed"],
        held_out=config["trials"]["held_out"],
        per_class=config["trials"]["items"],
        categories=config["trials"]["categories"],
        least_active=config["trials"]["least_active"],
        flag_by=FLAG_BY if REMOVE else "",
        code=code("corpus/split_sources.py"),
    message:
        "Putting speakers and recording families into train, dev and test"
    script:
        "scripts/corpus/split_sources.py"


rule fingerprint_sources:
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
    threads: workflow.cores
    params:
        code=code("corpus/fingerprint_sources.py"),
    message:
        "Fingerprinting the recordings"
    script:
        "scripts/corpus/fingerprint_sources.py"
