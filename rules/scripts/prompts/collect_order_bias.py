"""Biases of option order: tables/order_bias.csv."""

import json
from pathlib import Path

import pandas as pd

from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        rows = [
            {"variant": variant, **json.loads(Path(file).read_text())}
            for variant, file in zip(snakemake.params.variants, snakemake.input, strict=True)
        ]
        table = pd.DataFrame(rows).drop(columns="answer_tokens", errors="ignore")
        table.to_csv(snakemake.output[0], index=False)
        log.info("\n%s", table.to_string(index=False))
