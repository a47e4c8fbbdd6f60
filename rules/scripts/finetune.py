"""Fine-tune a detector on cells of train, chosen on dev: adapters/{adapter}/."""

from pathlib import Path

from speechdt import find_detectors
from speechdt.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        out = Path(snakemake.output[0])
        # Beside the outputs: what a killed job leaves there, the next one goes on from.
        kept = {"checkpoints": str(out.parents[1] / "cache" / "finetune" / out.name)}
        find_detectors()[snakemake.params.backend].finetune(
            [Path(cell) for cell in snakemake.input.train],
            [Path(cell) for cell in snakemake.input.dev],
            out,
            **(snakemake.params.settings | kept),
        )
        log.info("%s: trained with %s", out, snakemake.params.settings)
