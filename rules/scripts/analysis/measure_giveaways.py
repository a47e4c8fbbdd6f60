"""Classifiers that do not listen, as a control: tables/giveaways.csv."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.condition_giveaways import ConditionGiveaways
from speechdt.detectors.giveaways import giveaways
from speechdt.trials.conditions import Condition
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        played = {Path(path).stem: Path(path) for path in snakemake.input.conditions}
        conditions = [Condition(**condition) for condition in params.conditions]
        trials = {one: played[one.key] for one in conditions if one.key in played}
        beside = ConditionGiveaways(trials, params.replicates, params.seed)
        table = giveaways(
            find_detectors()["logmel"],
            snakemake.params.classifiers,
            {
                split: [Path(cell) for cell in snakemake.input[split]]
                for split in ("train", "dev", "test")
            },
            replicates=snakemake.params.replicates,
            seed=snakemake.params.seed,
            also=beside.judge,
        )
        table.to_csv(snakemake.output.giveaways, index=False)
        for path in snakemake.output.conditions:
            beside.table().to_csv(path, index=False)
        log.info("\n%s", table.to_string(index=False))
