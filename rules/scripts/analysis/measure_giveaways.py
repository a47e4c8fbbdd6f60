"""Judge classifiers that do not listen: tables/giveaways.csv."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.giveaways import giveaways
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        table = giveaways(
            find_detectors()["logmel"],
            snakemake.params.classifiers,
            {
                split: [Path(cell) for cell in snakemake.input[split]]
                for split in ("train", "dev", "test")
            },
            replicates=snakemake.params.replicates,
            seed=snakemake.params.seed,
        )
        table.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", table.to_string(index=False))
