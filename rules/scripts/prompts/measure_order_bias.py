"""Answers of a language model in both orders: prompts/order_bias/{variant}.json."""

import json
import sys
from pathlib import Path

import pandas as pd

from speechdt.prompts.answer_mass import answer_mass
from speechdt.prompts.order_answers import ask_both_orders
from speechdt.prompts.order_bias import order_bias
from speechdt.prompts.winner import hearing_of
from speechdt.reporting.tables.skill import mass_warning
from speechdt.store import Store
from speechdt.workflow.jobs import logged

if __name__ == "__main__":
    with logged(snakemake.log[0]) as log:
        params = snakemake.params
        hearing = hearing_of(params, snakemake.input)
        cache = Path(snakemake.output[0]).parents[2] / "cache" / "order_bias"
        who = f"variants.{snakemake.wildcards.run}: backend '{params.backend}'"
        store = Store(cache / hearing.store_name())
        asked = ask_both_orders(hearing, hearing.build, snakemake.input.cells, store, who)
        content = order_bias(asked.log_odds, asked.speech) | {"split": "dev"}
        if asked.mass is not None:
            content |= answer_mass(asked.mass)
            row = {"variant": snakemake.wildcards.run, **content}
            if warning := mass_warning(pd.DataFrame([row])):
                log.warning(warning)
                print(warning, file=sys.stderr)
        if asked.tokens is not None:
            content["answer_tokens"] = asked.tokens
        Path(snakemake.output[0]).write_text(json.dumps(content, indent=2) + "\n")
        log.info("%s", content)
