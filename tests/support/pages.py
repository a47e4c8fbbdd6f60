"""Results that a report is made from, and a parser of its HTML."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from speechdt.audio.io import flac_bytes
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.pages.report.section import Results
from support.made_tables import CALIBRATION, HARDWARE, NAMES, make

LADDER_SNRS = (10.0, 0.0, -10.0)
SVG = '<svg width="360pt" height="200pt" xmlns="http://www.w3.org/2000/svg"></svg>'

VOID = {"meta", "link", "img", "br", "hr", "input"}

OPTIONAL = ("conditions", "adapters", "training", "prompts", "hygiene")
"""Tables of `make` that a report has only if it is given them."""

CITATION = {
    "title": "A title",
    "authors": [
        {"family-names": "Doe", "given-names": "Jane"},
        {"name": "The others"},
    ],
    "version": "0.1.0",
    "date-released": "2026-11-22",
    "doi": "10.1234/5678",
}


def made_ladder(variants):
    """Return two items at three SNRs: a tone in noise, called SPEECH by every other variant."""
    random, rows = np.random.default_rng(0), []
    tone = np.sin(2 * np.pi * 440 * np.arange(3200) / 16_000)
    for label in ("SPEECH", "NONSPEECH"):
        for place, snr in enumerate(LADDER_SNRS):
            noise = random.normal(0, 10 ** (-snr / 20), len(tone))
            clip = (tone + noise) / np.abs(tone + noise).max() / 2
            answers = {
                name: [round(0.9 - 0.2 * place, 6), number % 2 == 0]
                for number, name in enumerate(variants)
            }
            rows.append(
                {
                    "item_id": label.lower(),
                    "trial_id": f"{label.lower()}-{snr:g}",
                    "label": label,
                    "category": "speech" if label == "SPEECH" else "music",
                    "source_id": "a/b.wav",
                    "background": "white",
                    "snr_db": snr,
                    "duration_ms": 200,
                    "answers": json.dumps(answers),
                    "audio": flac_bytes(clip.astype(np.float32)),
                }
            )
    return pd.DataFrame(rows)


class Page(HTMLParser):
    """Contents of a page, as tests look for them."""

    def __init__(self, html):
        super().__init__()
        self.html, self.open, self.ids = html, [], []
        self.attributes, self.rows, self.text = [], {}, []
        self.table = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.attributes += [(tag, name, value) for name, value in values.items()]
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "table":
            self.table = values.get("id", "")
            self.rows.setdefault(self.table, [])
        if tag == "tr" and self.table is not None:
            self.rows[self.table].append([])
        if tag in ("th", "td"):
            self.rows[self.table][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "table":
            self.table = None

    def handle_data(self, data):
        self.text.append(data)
        if self.table is not None and self.open[-1] != "style" and {"th", "td"} & set(self.open):
            self.rows[self.table][-1][-1] += data


def results(count, tables=(), **changes):
    """Return the results of so many detectors; `tables` come on top of those that every run has."""
    made = {name: table for name, table in make(count).items() if name not in OPTIONAL}
    variants = NAMES[:count]
    sources = pd.DataFrame(
        [
            ("SPEECH", "speech", "ann", "train"),
            ("SPEECH", "speech", "ann", "train"),
            ("SPEECH", "speech", "bob", "test"),
            ("NONSPEECH", "music", "band", "dev"),
        ],
        columns=["label", "category", "group_id", "split"],
    )
    items = pd.DataFrame({"category": ["speech", "speech", "music"]})
    made["audit"] = pd.DataFrame(
        [("source", "dev", 5), ("source", "test", 1234)], columns=["kind", "split", "distinct"]
    )
    made["rejected"] = pd.DataFrame(columns=["path", "source_id", "reason"])
    given = {
        "tables": made | dict(tables),
        "figures": dict.fromkeys(FIGURES, SVG),
        "calibrations": dict.fromkeys(variants, CALIBRATION.to_dict()),
        "hardware": dict.fromkeys(variants, HARDWARE),
        "sources": sources,
        "items": {"dev": items, "test": items},
        "config": {
            "grid": {"snr_db": [-5, 0, 10]},
            "seed": 1,
            "conditions": {"items": 40, "duration_ms": 500, "background": "white"},
            "rooms": {"path": None},
        },
        "versions": {"python": "3.11", "numpy": "2.4"},
        "revision": "0123456789ab",
        "citation": CITATION,
    }
    return Results(**given | changes)
