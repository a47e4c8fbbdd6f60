"""Impulse responses, made or read: trials/conditions/rooms.npz and tables/rooms.csv."""

import numpy as np
import pandas as pd

from speechdt.audio import room
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        settings = snakemake.params.settings
        rooms = room.by_name(
            snakemake.params.rooms,
            settings["path"],
            tolerance_s=settings["tolerance_s"],
            count=settings["responses"],
            seed=snakemake.params.seed,
        )
        np.savez(
            snakemake.output.responses,
            **{
                f"{name}/{number}": response.samples.astype(np.float32)
                for name, responses in rooms.items()
                for number, response in enumerate(responses)
            },
        )
        table = pd.DataFrame(room.table(rooms))
        table.to_csv(snakemake.output.table, index=False)
        log.info("\n%s", table.to_string(index=False))
