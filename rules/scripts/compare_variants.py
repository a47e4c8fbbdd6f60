"""Compare the variants pair by pair on the same test trials: tables/comparisons.csv."""

from speechdt.comparison import ALSO, PLANNED, compare, contrasts
from speechdt.jobs import logged
from speechdt.slices import decided_runs


def read_trials(variants, cells, scores, calibrations):
    """Return the decided trials of each variant, of all its runs.

    `variants` says how many runs each has; scores and calibrations come run by run.
    """
    found, done = {}, 0
    for variant, runs in variants.items():
        here = slice(done * len(cells), (done + runs) * len(cells))
        found[variant] = decided_runs(cells, scores[here], calibrations[done : done + runs])
        done += runs
    return found


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params = snakemake.input, snakemake.params
        planned = contrasts(list(params.variants), params.planned, params.reference)
        also = contrasts(list(params.variants), params.also)
        table = compare(
            read_trials(params.variants, inputs.cells, inputs.scores, inputs.calibrations),
            planned=planned,
            also=[pair for pair in also if pair not in planned],
            replicates=params.replicates,
            permutations=params.permutations,
            seed=params.seed,
        )
        table.to_csv(snakemake.output[0], index=False)
        families = table["family"].value_counts()
        log.info(
            "%d pairs; %d planned, %d beside them",
            *(len(table), families.get(PLANNED, 0), families.get(ALSO, 0)),
        )
