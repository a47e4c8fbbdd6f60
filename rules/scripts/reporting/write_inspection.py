"""Write the page on which one listens to recordings and trials: corpus/inspect.html."""

import hashlib
from pathlib import Path

import pandas as pd

from speechdt.corpus.flags import read_flagged
from speechdt.reporting.pages.inspection import render, source_cards, trial_cards
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        seed = snakemake.params.seed
        sources = pd.read_parquet(snakemake.input.sources)
        flagged = read_flagged(snakemake.input.flags)
        cards = source_cards(sources, seed, flagged=flagged)
        cards += trial_cards(snakemake.input.cells, seed, flagged=flagged)
        names = "\n".join(card.name for card in cards)
        page = render(cards, run=hashlib.sha256(names.encode()).hexdigest()[:12])
        Path(snakemake.output[0]).write_text(page, encoding="utf-8")
        log.info("%d cards, %d bytes", len(cards), len(page.encode()))
