"""Judge classifiers that do not listen in every condition: tables/condition_giveaways.csv."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.condition_giveaways import condition_giveaways
from speechdt.trials.conditions import Condition
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        played = {Path(path).stem: Path(path) for path in snakemake.input.trials}
        conditions = [Condition(**condition) for condition in snakemake.params.conditions]
        table = condition_giveaways(
            find_detectors()["logmel"],
            snakemake.params.classifiers,
            {split: [Path(cell) for cell in snakemake.input[split]] for split in ("train", "dev")},
            {one: played[one.key] for one in conditions if one.key in played},
            replicates=snakemake.params.replicates,
            seed=snakemake.params.seed,
        )
        table.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", table.to_string(index=False))
