"""Errors pages made from simulated answers."""

import json

import numpy as np

from speechdt.audio.io import flac_bytes
from speechdt.reporting.pages import errors_cards, errors_page
from speechdt.statistics import error_rates
from support.pages import Page

BOOTSTRAP = {"replicates": 100, "seed": 3}

SHORT = flac_bytes(np.full(800, 0.1, np.float32))


def page(answers, most=40, folder=None):
    tables = {
        "errors": error_rates.error_rates(answers, **BOOTSTRAP),
        "errors_common": error_rates.common_errors(answers, **BOOTSTRAP),
        "errors_pairs": error_rates.error_pairs(answers, **BOOTSTRAP),
        "error_sources": error_rates.error_sources(answers),
    }
    chosen = errors_cards.choose(answers, tables["error_sources"], most)
    trials = answers.trials.loc[chosen]
    clips = dict.fromkeys(trials["trial_id"], SHORT)
    clips |= {errors_cards.clean_key(name): SHORT for name in trials["item_id"]}
    media = errors_cards.beside(clips, folder) if folder else errors_cards.embedded(clips)
    thresholds = dict.fromkeys(answers.wrong, 0.5)
    made = errors_cards.cards(answers, chosen, media, thresholds=thresholds, clean_ms=1000)
    return errors_page.render(answers, made, media.audio, tables, ["A1 — nano: a toy."])


def shown(html):
    """Return the attributes of the cards of a page, in order."""
    cards = []
    for tag, name, value in Page(html).attributes:
        if (tag, name) == ("li", "class") and value == "card":
            cards.append({})
        elif tag == "li" and name.startswith("data-"):
            cards[-1][name.removeprefix("data-")] = (
                json.loads(value) if name == "data-wrong" else value
            )
    return cards


def addresses(html):
    return json.loads(html.split('id="audio-store">')[1].split("</script>")[0])
