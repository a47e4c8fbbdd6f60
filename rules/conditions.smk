# test's recordings -> the same items in every condition -> scores of each run -> shifts of DT75

from speechdt.workflow.published import beside


# Rules that take seconds: on a cluster their jobs run on the submitting machine.
localrules:
    choose_condition_items,


rule choose_condition_items:
    """Items of each condition."""
    input:
        "<results>/corpus/sources.parquet",
    output:
        "<results>/trials/conditions/items.parquet",
    log:
        "<logs>/choose_condition_items/choose_condition_items.log",
    conda:
        ENVIRONMENT
    params:
        conditions=[condition._asdict() for condition in played.conditions],
        per_class=settings["conditions"]["items"],
        least_active=settings["trials"]["least_active"],
        categories=settings["trials"]["categories"],
        seed=settings["seed"],
        code=checkout.code("conditions/choose_condition_items.py"),
    message:
        "Choosing the items of all conditions"
    script:
        "scripts/conditions/choose_condition_items.py"


rule make_rooms:
    """Impulse responses of rooms (tables/rooms.csv)."""
    input:
        played.responses,
    output:
        responses="<results>/trials/conditions/rooms.npz",
        table="<results>/tables/rooms.csv",
    log:
        "<logs>/make_rooms/make_rooms.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        rooms=played.rooms,
        settings=settings["rooms"],
        seed=settings["seed"],
        code=checkout.code("conditions/make_rooms.py"),
    message:
        "Making or reading the impulse responses of rooms"
    script:
        "scripts/conditions/make_rooms.py"


rule render_conditions:
    """The clips of all conditions (trials/conditions/)."""
    input:
        chosen="<results>/trials/conditions/items.parquet",
        rooms=["<results>/trials/conditions/rooms.npz"] if played.rooms else [],
        # The leak audit passes before any clip is rendered.
        audit="<results>/trials/audit.csv",
    output:
        expand(
            "<results>/trials/conditions/{key}.parquet", key=played.rendered or "none"
        ),
    log:
        "<logs>/render_conditions/render_conditions.log",
    benchmark:
        "<benchmarks>/render_conditions/render_conditions.tsv"
    # Ahead of jobs that take all cores, so that no core idles.
    priority: 1
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=240,
    params:
        conditions=[condition._asdict() for condition in played.conditions],
        level=settings["trials"]["level"],
        seed=settings["seed"],
        code=checkout.code("conditions/render_conditions.py"),
    message:
        "Rendering the trials of all conditions"
    script:
        "scripts/conditions/render_conditions.py"


rule score_conditions:
    """P(speech) of the clips of all conditions."""
    input:
        models=of_run("made"),
        search=search_of,
        choice=choice_of_run,
        asked=further_on_base,
        # After the scores, since both keep them in one place.
        scores=f"<results>/scores/{{run}}/test/{NOISY[0]}.parquet",
        trials=expand("<results>/trials/conditions/{key}.parquet", key=played.rendered),
    output:
        expand(
            "<results>/scores/{{run}}/conditions/{key}.parquet",
            key=played.keys or "none",
        ),
    log:
        "<logs>/score_conditions/{run}.log",
    benchmark:
        "<benchmarks>/score_conditions/{run}.tsv"
    wildcard_constraints:
        run=any_of(played.runs),
    priority: 1
    conda:
        ENVIRONMENT
    resources:
        mem_mb=alone(run_memory, TORCH_MB),
        runtime=1440,
        gpu=alone(of_run("gpus"), 0),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        presentation=of_run("presentation"),
        conditions=[condition._asdict() for condition in played.conditions],
        detector=code_of(of_run),
        code=checkout.code("conditions/score_conditions.py"),
    message:
        "Scoring all conditions with {wildcards.run} ({params.backend})"
    script:
        "scripts/conditions/score_conditions.py"


rule measure_conditions:
    """The cost of each condition (tables/conditions.csv)."""
    input:
        trials=expand("<results>/trials/conditions/{key}.parquet", key=played.rendered),
        scores=products.scores(played.runs, "conditions", played.keys),
        calibrations=products.calibrations(played.runs),
        thresholds=products.thresholds_of(played.runs),
    output:
        "<results>/tables/conditions.csv",
    log:
        "<logs>/measure_conditions/measure_conditions.log",
    benchmark:
        "<benchmarks>/measure_conditions/measure_conditions.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        variants=played.variants,
        conditions=[condition._asdict() for condition in played.conditions],
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("conditions/measure_conditions.py"),
    message:
        "Measuring what each condition costs"
    script:
        "scripts/conditions/measure_conditions.py"


rule measure_published_bank:
    """All variants by the published protocol."""
    input:
        trials=expand("<results>/trials/conditions/{key}.parquet", key=played.rendered),
        scores=products.scores(played.runs, "conditions", played.keys),
        calibrations=products.calibrations(played.runs),
        thresholds=products.thresholds_of(played.runs),
    output:
        bank="<results>/tables/published_bank.csv",
        thresholds="<results>/tables/published_thresholds.csv",
        beside="<results>/tables/published_beside.csv",
    log:
        "<logs>/measure_published_bank/measure_published_bank.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        variants=played.variants,
        conditions=[condition._asdict() for condition in played.conditions],
        published=beside(experiment, checkout.folder / "rules" / "published.yaml"),
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("conditions/measure_published_bank.py"),
    message:
        "Measuring all variants by the published protocol"
    script:
        "scripts/conditions/measure_published_bank.py"


# Sounds of people that are no speech: rates of false alarms, in no accuracy.
rule index_foils:
    """Recordings that are neither speech nor its rivals, read once."""
    input:
        sources="<results>/corpus/sources.parquet",
    output:
        "<results>/corpus/foils.parquet",
    log:
        "<logs>/index_foils/index_foils.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=240,
    params:
        corpora=settings["corpus"],
        clip_ms=experiment.grid.clean_ms,
        code=checkout.code("conditions/index_foils.py"),
    message:
        "Reading the foils"
    script:
        "scripts/conditions/index_foils.py"


rule render_foils:
    """The clips of foils."""
    input:
        "<results>/corpus/foils.parquet",
    output:
        expand("<results>/trials/foils/{key}.parquet", key=FOILS),
    log:
        "<logs>/render_foils/render_foils.log",
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        mem_mb=worker_memory,
        runtime=240,
    params:
        per_kind=settings["foils"]["items"],
        snr_db=experiment.grid.snr_db,
        clip_ms=experiment.grid.clean_ms,
        least_active=settings["trials"]["least_active"],
        level=settings["trials"]["level"],
        seed=settings["seed"],
        code=checkout.code("conditions/render_foils.py"),
    message:
        "Rendering the trials of foils"
    script:
        "scripts/conditions/render_foils.py"


use rule score_conditions as score_foils with:
    """P(speech) of the clips of foils."""
    input:
        models=of_run("made"),
        search=search_of,
        choice=choice_of_run,
        asked=further_on_base,
        scores=f"<results>/scores/{{run}}/test/{NOISY[0]}.parquet",
        # After the conditions, which use the same store.
        conditions=lambda wildcards: products.scores(
            [wildcards.run] if wildcards.run in played.runs else [],
            "conditions",
            played.keys[:1],
        ),
        trials=expand("<results>/trials/foils/{key}.parquet", key=FOILS),
    output:
        expand("<results>/scores/{{run}}/foils/{key}.parquet", key=FOILS),
    log:
        "<logs>/score_foils/{run}.log",
    benchmark:
        "<benchmarks>/score_foils/{run}.tsv"
    wildcard_constraints:
        run=any_of(products.foil_runs),
    params:
        backend=of_run("backend"),
        options=of_run("options"),
        presentation=of_run("presentation"),
        conditions=[condition._asdict() for condition in heard_foils()],
        detector=code_of(of_run),
        code=checkout.code("conditions/score_conditions.py"),
    message:
        "Scoring foils with {wildcards.run} ({params.backend})"


rule measure_foils:
    """False alarms on foils (tables/foils.csv)."""
    input:
        trials=expand("<results>/trials/foils/{key}.parquet", key=FOILS),
        scores=products.scores(products.foil_runs, "foils", FOILS),
        calibrations=products.calibrations(products.foil_runs),
        thresholds=products.thresholds_of(products.foil_runs),
    output:
        "<results>/tables/foils.csv",
    log:
        "<logs>/measure_foils/measure_foils.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        variants=products.foil_variants,
        replicates=settings["bootstrap"]["replicates"],
        seed=settings["seed"],
        code=checkout.code("conditions/measure_foils.py"),
    message:
        "Counting false alarms on foils"
    script:
        "scripts/conditions/measure_foils.py"
