"""Errors pages made from simulated answers."""

import json

import numpy as np

from speechdt.audio.io import flac_bytes
from speechdt.reporting.pages import errors_page
from speechdt.statistics import error_rates
from support.pages import Page

BOOTSTRAP = {"replicates": 100, "seed": 3}

SHORT = flac_bytes(np.full(800, 0.1, np.float32))


def page(answers, most=40, folder=None):
    sources = error_rates.error_sources(answers)
    chosen = errors_page.choose(answers, sources, most)
    clips = {name: SHORT for name in answers.trials.loc[chosen, "trial_id"]}
    clips |= {errors_page.clean_key(name): SHORT for name in answers.trials.loc[chosen, "item_id"]}
    media = errors_page.beside(clips, folder) if folder else errors_page.embedded(clips)
    thresholds = dict.fromkeys(answers.wrong, 0.5)
    return errors_page.render(
        cards=errors_page.cards(answers, chosen, media, thresholds=thresholds, clean_ms=1000),
        addresses=media.audio,
        failures=int(answers.wrong.any(axis=1).sum()),
        trials=len(answers.wrong),
        variants=list(answers.wrong),
        rates=error_rates.error_rates(answers, **BOOTSTRAP),
        common=error_rates.common_errors(answers, **BOOTSTRAP),
        pairs=error_rates.error_pairs(answers, **BOOTSTRAP),
        sources=sources,
        notes=["A1 — nano: a toy."],
    )


def shown(html):
    """Return the attributes of the cards of a page, in order."""
    found = []
    for tag, name, value in Page(html).attributes:
        if (tag, name) == ("li", "class") and value == "card":
            found.append({})
        elif tag == "li" and name.startswith("data-"):
            found[-1][name.removeprefix("data-")] = value
    return found


def addresses(html):
    return json.loads(html.split('id="audio-store">')[1].split("</script>")[0])
