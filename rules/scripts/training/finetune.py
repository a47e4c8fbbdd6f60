"""Fine-tuning of a detector on cells of train, chosen on dev: adapters/{adapter}/."""

import sys
from pathlib import Path

from speechdt import checksums, find_detectors
from speechdt.audio.presentation import Presentation
from speechdt.detectors.call import check_whole
from speechdt.detectors.kept_adapters import provide, training_key
from speechdt.trials.presented import presented_cells
from speechdt.workflow.jobs import logged
from speechdt.workflow.torchrun import launch, run


def main(backend, train, dev, out, settings):
    """Train one adapter; all paths are strings."""
    detector = find_detectors()[backend]
    detector.finetune(
        [Path(cell) for cell in train], [Path(cell) for cell in dev], Path(out), **settings
    )


def provide_adapter(out, settings, code, arguments):
    """Train an adapter, or take the one that was; say whether it was trained."""

    def train():
        if settings.get("processes", 1) > 1:
            launch(__file__, arguments, settings["processes"])
        else:
            main(**arguments)

    if settings.get("full"):  # a whole checkpoint: a copy would be as large
        train()
        return True
    data = [Path(cell) for cell in (*arguments["train"], *arguments["dev"])]
    kept = out.parents[1] / "cache" / "adapters" / training_key(settings, code, data)
    return provide(out, kept, train)


if __name__ == "__main__" and "snakemake" in globals():
    with logged(snakemake.log[0]) as log:
        out = Path(snakemake.output[0])
        # Beside the outputs: what a killed job leaves there, the next one goes on from.
        kept = {"checkpoints": str(out.parents[1] / "cache" / "finetune" / out.name)}
        presentation = Presentation.of(**snakemake.params.presentation)
        folder = out.parents[1] / "cache" / "presented" / out.name
        train, dev = (
            [
                str(cell)
                for cell in presented_cells(snakemake.input[split], folder / split, presentation)
            ]
            for split in ("train", "dev")
        )
        arguments = {
            "backend": snakemake.params.backend,
            "train": train,
            "dev": dev,
            "out": str(out),
            "settings": snakemake.params.settings | kept,
        }
        check_whole(snakemake.params.settings)
        settings = snakemake.params.settings
        trained = provide_adapter(out, settings, snakemake.params.detector, arguments)
        checksums.write(out)
        log.info("%s: %s with %s", out, "trained" if trained else "was kept, trained", settings)
elif __name__ == "__main__":  # one of several processes
    run(main, sys.argv[1])
