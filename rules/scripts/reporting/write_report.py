"""Write the page that holds it all: report.html."""

import json
from pathlib import Path

import pandas as pd
import yaml

from speechdt.environment import revision, versions
from speechdt.reporting.pages.report import render
from speechdt.reporting.pages.report_hygiene import hygiene_section
from speechdt.reporting.pages.report_prompts import prompt_section
from speechdt.reporting.tables.reading import read_table
from speechdt.trials.grid import CROSSED
from speechdt.workflow.jobs import logged


def read_json(variants, paths):
    """Return the content of JSON files by variant."""
    return {
        variant: json.loads(Path(path).read_text())
        for variant, path in zip(variants, paths, strict=True)
    }


def read_if_there(paths):
    """Return the table, if there is one."""
    return read_table(paths[0]) if paths else None


def read_prompts(files, searches):
    """Return the section on prompts, or None if none was searched for."""
    named = {Path(path).name: path for path in files}
    if not named:
        return None
    return prompt_section(
        read_table(named["prompts.csv"]),
        read_table(named["searches.csv"]),
        [json.loads(Path(path).read_text()) for path in searches],
        Path(named["prompts.svg"]).read_text(),
    )


def read_hygiene(files, metrics):
    """Return the section on hygiene, or None if nothing is checked."""
    named = {Path(path).name: path for path in files}
    if not named:
        return None
    counts, svg = named["hygiene.csv"], Path(named["hygiene.svg"]).read_text()
    return hygiene_section(pd.read_csv(counts), read_table(metrics), svg)


def main(inputs, variants, config, checkout):
    """Return the page, from files by name."""
    timed = read_json(variants, inputs["latency_of"])
    tables = ("matrix", "metrics", "thresholds", "curves", "latency", "pareto", "comparisons")
    tables += ("surface", "contour", "verdict", "threshold_sensitivity")
    return render(
        tables={name: read_table(inputs[name]) for name in tables}
        | ({"giveaways": read_table(inputs["giveaways"][0])} if inputs["giveaways"] else {}),
        order_bias=read_if_there(inputs["order_bias"]),
        left_out=read_if_there(inputs["left_out"]),
        adapters=read_if_there(inputs["adapters"]),
        figures={Path(path).stem: Path(path).read_text() for path in inputs["figures"]},
        calibrations=read_json(variants, inputs["calibration"]),
        hardware={variant: times["hardware"] for variant, times in timed.items()},
        sources=pd.read_parquet(inputs["sources"]),
        items={
            split: pd.read_parquet(path)
            for split, path in zip(CROSSED, inputs["chosen"], strict=True)
        },
        rejected=pd.read_csv(inputs["rejected"]),
        audit=pd.read_csv(inputs["audit"]),
        config=config,
        versions=versions(),
        revision=revision(checkout),
        prompts=read_prompts(inputs["prompts"], inputs["searches"]),
        hygiene=read_hygiene(inputs["hygiene"], inputs["metrics"]),
        citation=yaml.safe_load(Path(inputs["citation"]).read_text()),
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        page = main(
            dict(snakemake.input.items()),
            snakemake.params.variants,
            snakemake.params.config,
            Path(snakemake.input.citation).parent,
        )
        Path(snakemake.output[0]).write_text(page, encoding="utf-8")
        log.info("%s: %d bytes", snakemake.output[0], len(page.encode()))
