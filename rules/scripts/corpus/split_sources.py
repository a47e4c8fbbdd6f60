"""Split of the sources into train, dev and test: corpus/sources.parquet, corpus/left_out.csv."""

import sys

import pandas as pd

from speechdt.corpus import labels, rejections, shortages
from speechdt.corpus.flags import read_flagged
from speechdt.corpus.joined_groups import NAMES, joined
from speechdt.corpus.selection import read_marks, select
from speechdt.corpus.split import assign
from speechdt.trials.items import TooFewSources, check_classes
from speechdt.workflow.jobs import logged


def recordings(inputs, params):
    """Return the recordings that are used, those that are left out, and a line on joined groups."""
    index = pd.read_parquet(inputs.index)
    used, left_out = select(
        index,
        read_marks(inputs.marks, index["source_id"]),
        read_flagged(inputs.flags),
        params.flag_by,
    )
    labels.check(used)
    duplicates = pd.read_csv(inputs.near_duplicates, dtype=dict.fromkeys(NAMES, str))
    sources, pairs, groups, into = joined(used, duplicates, params.near_duplicates)
    line = f"{pairs:,} pairs of recordings share audio: {groups:,} groups are joined into {into:,}"
    return sources, left_out, [f"{line} (corpus/near_duplicates.csv)"] if pairs else []


def split(sources, params):
    """Return the recordings with their splits, if there are enough of each kind."""
    check_classes(sources, params.per_class, params.categories)
    assigned = assign(
        sources,
        params.nested_ms,
        seed=params.seed,
        held_out=params.held_out,
        least_active=params.least_active,
        unseen=params.unseen,
    )
    shortages.check(assigned, params.nested_ms, params.clean_ms, params.categories)
    return assigned


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        used, left_out, notes = recordings(snakemake.input, snakemake.params)
        left_out.to_csv(snakemake.output.left_out, index=False)
        try:
            sources = split(used, snakemake.params)
        except (TooFewSources, shortages.Shortage) as error:
            rejected = pd.read_csv(snakemake.input.rejected)
            listed = len(rejected) + len(used) + len(left_out)
            removed = f"{len(left_out)} recordings are left out" if len(left_out) else ""
            causes = [str(error), removed, rejections.in_short(rejected, listed)]
            raise type(error)("; ".join(filter(None, causes))) from error
        notes += shortages.notes(sources, snakemake.params.held_out)
        sources.to_parquet(snakemake.output.sources, index=False)
        apart = sorted(set(sources.loc[sources["unseen"], "origin"]))
        log.info("origins in test alone: %s", ", ".join(apart) or "none")
        for line in notes:
            print(line, file=sys.stderr)
            log.info("%s", line)
        counts = sources.groupby(["category", "split"])["group_id"].nunique().unstack()
        log.info("%d left out; groups:\n%s", len(left_out), counts.to_string())
