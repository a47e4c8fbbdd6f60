"""Write the gallery of failures: errors.html, and its clips beside it if they are many."""

from pathlib import Path

import pandas as pd

from speechdt.detectors.answer_files import by_run
from speechdt.detectors.decisions import decided_by, read_calibration
from speechdt.reporting.pages import errors_page
from speechdt.reporting.tables.formatting import model_notes
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.error_rates import TEXT, answers
from speechdt.trials.cells import read_cell
from speechdt.workflow.jobs import logged


def read_clips(cells, chosen):
    """Return FLAC by trial, from the cell files that hold the chosen trials."""
    found = {}
    for path in map(Path, cells):
        if path.stem in chosen:
            clips = read_cell(path, ["trial_id", "audio"]).set_index("trial_id")["audio"]
            found |= clips.loc[chosen[path.stem]].to_dict()
    return found


def read_clean(path, items):
    """Return FLAC of targets without noise, by item."""
    clips = read_cell(path, ["item_id", "audio"]).set_index("item_id")["audio"]
    return clips[clips.index.isin(items)].to_dict()


def main(given, params, folder):
    """Return the page, and write its clips into the folder, if one is given."""
    one_run = {variant: [run] for variant, run in params.runs.items()}
    decided = decided_by(one_run, given.cells, given.scores, given.calibrations)
    found = answers(decided, pd.read_parquet(given.sources))
    sources = read_table(given.ranked, TEXT)
    chosen = errors_page.choose(found, sources, params.clips)
    clips = read_clips(given.cells, errors_page.clips_of(found, chosen))
    clean = read_clean(given.clean, set(found.trials.loc[chosen, "item_id"]))
    clips |= {errors_page.clean_key(item): flac for item, flac in clean.items()}
    media = errors_page.beside(clips, folder) if folder else errors_page.embedded(clips)
    calibrations = by_run(given.calibrations)
    thresholds = {
        variant: read_calibration(calibrations[run]).threshold
        for variant, run in params.runs.items()
    }
    return errors_page.render(
        cards=errors_page.cards(
            found, chosen, media, thresholds=thresholds, clean_ms=params.clean_ms
        ),
        addresses=media.audio,
        failures=int(found.wrong.any(axis=1).sum()),
        trials=len(found.wrong),
        variants=list(params.runs),
        rates=read_table(given.rates, TEXT),
        common=read_table(given.common, TEXT),
        pairs=read_table(given.pairs, TEXT),
        sources=sources,
        notes=model_notes(read_table(given.matrix)),
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        folders = [Path(folder) for folder in snakemake.output.get("audio", [])]
        page = main(snakemake.input, snakemake.params, folders[0] if folders else None)
        Path(snakemake.output.page).write_text(page, encoding="utf-8")
        log.info("%s: %d bytes", snakemake.output.page, len(page.encode()))
