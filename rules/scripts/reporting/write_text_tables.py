"""Tables for people and papers: tables/*.md and *.tex."""

from pathlib import Path

from speechdt.reporting.tables import skill
from speechdt.reporting.tables.formatting import FOOTNOTE, model_notes, tested_ranges
from speechdt.reporting.tables.latency_text import (
    LATENCY_NOTE,
    RESOURCES_NOTE,
    doubt_notes,
    latency_table,
    resources_table,
)
from speechdt.reporting.tables.markup import latex, markdown
from speechdt.reporting.tables.matrix_text import matrix_table
from speechdt.reporting.tables.names import legend, renamed
from speechdt.reporting.tables.operating_points_text import DETECTORS_NOTE, detectors_table
from speechdt.reporting.tables.reading import read_table
from speechdt.reporting.tables.thresholds_text import THRESHOLDS_NOTE, thresholds_table
from speechdt.workflow.jobs import logged


def main(matrix, thresholds, curves, latency, pareto, points, keys=""):
    """Return the content of each file by its name; `keys` says which variant is which label."""
    ranges = tested_ranges(curves)
    comparison = matrix_table(matrix, latency, ranges)
    doubts = doubt_notes(latency)
    own = [keys] if keys else []
    note = " ".join([*own, *model_notes(matrix), *doubts, FOOTNOTE])
    marks = [*own, *skill.notes(matrix)]
    of_thresholds = " ".join([*marks, THRESHOLDS_NOTE])
    pooled = thresholds_table(thresholds, ranges, pooled=True)
    return {
        "matrix.md": markdown(comparison, note),
        "matrix.tex": latex(comparison, note, labels=2),
        "thresholds.md": markdown(thresholds_table(thresholds, ranges), of_thresholds),
        "thresholds.tex": latex(pooled, of_thresholds, labels=3),
        "detectors.md": markdown(
            detectors_table(points, matrix, latency, thresholds, ranges),
            f"{DETECTORS_NOTE} {note}",
        ),
        "latency.md": markdown(latency_table(latency), " ".join([*marks, *doubts, LATENCY_NOTE]))
        + "\n"
        + markdown(resources_table(latency, pareto), RESOURCES_NOTE),
    }


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        names = snakemake.params.names
        tables = {name: renamed(read_table(path), names) for name, path in snakemake.input.items()}
        written = main(**tables, keys=legend(names))
        for output in snakemake.output:
            Path(output).write_text(written[Path(output).name], encoding="utf-8")
        log.info("%s", "\n".join(snakemake.output))
