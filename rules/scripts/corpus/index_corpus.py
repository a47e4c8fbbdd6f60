"""Read every recording once: corpus/index.parquet and corpus/rejected.csv."""

from pathlib import Path

from speechdt.corpus.index import index, read_corpora
from speechdt.workflow.jobs import logged


def main(corpora, shortest_ms, workers, index_file, rejected_file, log):
    """Index the corpora."""
    kept = Path(index_file).parents[1] / "cache" / "index.sqlite"
    usable, rejected = index(read_corpora(corpora), shortest_ms, workers, kept)
    usable.to_parquet(index_file, index=False)
    rejected.to_csv(rejected_file, index=False)
    log.info("%d recordings usable, %d rejected", len(usable), len(rejected))


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        main(
            snakemake.params.corpora,
            snakemake.params.shortest_ms,
            snakemake.threads,
            snakemake.output.index,
            snakemake.output.rejected,
            log,
        )
