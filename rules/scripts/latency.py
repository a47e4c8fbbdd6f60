"""Time a detector on test clips: latency/{variant}.json."""

import json
from pathlib import Path

import pandas as pd

from speechdt import find_detectors
from speechdt.cells import read_cell
from speechdt.environment import hardware, versions
from speechdt.jobs import logged
from speechdt.latency import measure
from speechdt.winners import with_prompt


def spread(cells, count):
    """Return the audio of `count` trials, taken evenly from all cells, durations in turn."""
    trials = pd.concat(read_cell(cell, ["duration_ms", "trial_id", "audio"]) for cell in cells)
    turn = trials.groupby("duration_ms").cumcount()
    ordered = trials.assign(turn=turn).sort_values(["turn", "duration_ms"], kind="stable")
    step = max(len(ordered) // count, 1) | 1  # odd, so that it visits every duration
    return ordered["audio"].iloc[::step].head(count).tolist()


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        detector = find_detectors()[snakemake.params.backend]
        options = with_prompt(snakemake.params.options, snakemake.input.search)
        clips = spread(snakemake.input.cells, snakemake.params.clips)
        timed = measure(lambda: detector(**options), clips)
        content = timed | {"hardware": hardware(), "versions": versions()}
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", timed)
