"""Index of all recordings: corpus/index.parquet and corpus/rejected.csv."""

import sys
from pathlib import Path

from speechdt.corpus import readers
from speechdt.corpus.index import index, read_corpora
from speechdt.corpus.rejections import summary
from speechdt.workflow.jobs import logged


def main(corpora, shortest_ms, workers, anew, index_file, rejected_file, log):
    """Index the corpora, and say what of them is not used."""
    kept = Path(index_file).parents[1] / "cache" / "index.sqlite"
    sources = read_corpora(corpora)
    usable, rejected = index(sources, shortest_ms, workers, kept, anew)
    usable.to_parquet(index_file, index=False)
    rejected.to_csv(rejected_file, index=False)
    notes = [note for corpus in corpora for note in readers.notes(corpus, sources)]
    for line in notes + summary(rejected, len(sources)):
        print(line, file=sys.stderr)
        log.info("%s", line)
    log.info("%d recordings usable, %d rejected", len(usable), len(rejected))


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        main(
            snakemake.params.corpora,
            snakemake.params.shortest_ms,
            snakemake.threads,
            bool(snakemake.resources.anew),
            snakemake.output.index,
            snakemake.output.rejected,
            log,
        )
