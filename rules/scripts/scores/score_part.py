"""Answers of all runs on a base, or of every n-th cell of theirs, for the jobs that write files.

What they answer is kept beside the results; parts/score/{base}/….txt (of what they are asked beside
their scores parts/further/{base}/….txt) only says that it is there.
"""

from pathlib import Path

from speechdt import find_detectors
from speechdt.detectors.answer_files import by_run, of_split
from speechdt.detectors.parts import share
from speechdt.detectors.shared_base import SharedBase
from speechdt.errors import SpeechdtError
from speechdt.prompts.run_answers import AskedRun, Further, ask_runs, hearings
from speechdt.prompts.search_job import score_winners
from speechdt.trials.conditions import Condition
from speechdt.workflow.jobs import logged

ASKED = ("scores", "orders", "conditions", "foils")


def further(inputs, params):
    """Return what runs are asked beside their scores."""
    asked = dict(params.further)
    for kind in ("conditions", "foils"):
        asked[kind] = [Condition(**condition) for condition in asked[kind]]
    return Further(dev=of_split(inputs.cells, "dev", params.noisy), trials=inputs.conditions,
                   foil_trials=inputs.foils, **asked)  # fmt: skip


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        inputs, params, part = snakemake.input, snakemake.params, snakemake.wildcards.scatteritem
        output, shared = Path(snakemake.output[0]), SharedBase(params.audio_gib)
        results = output.parents[3]
        run_hearings = hearings(params.runs, find_detectors(), inputs.search, inputs.choice)
        runs = [
            AskedRun(name, run_hearings[name], *(of[what] for what in ASKED))
            for name, of in params.runs.items()
        ]
        asked, failures = ask_runs(
            runs, shared.built, inputs.cells, further(inputs, params), results / "cache", part
        )
        if searches := dict(share(list(params.searches.items()), part)):
            failures += score_winners(
                searches,
                by_run(inputs.search),
                by_run(inputs.choice),
                {split: of_split(inputs.cells, split, params.noisy) for split in ("dev", "test")},
                results,
                shared.built,
            )
        log.info("clips scored: %s; weights were read %d times", asked, shared.loads)
        for failure in failures:
            log.error("%s", failure)
        if failures:  # what all others have answered is kept
            raise SpeechdtError(failures[0])
        output.write_text("".join(f"{name} {count}\n" for name, count in asked.items()))
