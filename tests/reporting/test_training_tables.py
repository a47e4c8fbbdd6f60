"""Tables, figures and cards of trainings."""

import pandas as pd
import pytest

from speechdt.reporting.figures.draw import draw
from speechdt.reporting.tables.training import (
    adapters_table,
    best_step,
    one_setting_at_a_time,
    spec_augment_text,
    training_curves,
)
from speechdt.reporting.tables.training_text import card_with_test

LOG = [
    {"step": 0, "eval_log_loss": 0.1, "eval_balanced_accuracy": 0.5},
    {"step": 10, "loss": 0.9, "clips_per_s": 7.0},
    {"step": 10, "eval_log_loss": 0.6, "eval_balanced_accuracy": 0.7},
    {"step": 20, "eval_log_loss": 0.4, "eval_balanced_accuracy": 0.8},
    {"step": 30, "eval_log_loss": 0.5, "eval_balanced_accuracy": 0.9},
]
AUGMENT = {"frequency_mask": 10, "time_mask": 0.05, "probability": 0.5}


def entry(name, seeds=1, **changes):
    settings = {"clips": 1000, "rank": 16, "loss": "answer", "spec_augment": None}
    return {"adapter": name, "runs": [f"{name}{n}" for n in range(seeds)], **settings, **changes}


VARIANTS = {
    "S100": entry("a", clips=100),
    "S1000": entry("b", seeds=2),
    "R8": entry("c", rank=8),
    "X": entry("d", spec_augment=AUGMENT),
    "other": entry("e", clips=7, rank=3, loss="sequence"),
}


@pytest.fixture
def table():
    accuracy = {"balanced_accuracy": 0.8, "balanced_accuracy_low": 0.7}
    matrix = pd.DataFrame(
        {"variant": [*VARIANTS, "D1"], "model": "nano", "balanced_accuracy_high": 0.9, **accuracy}
    )
    logs = {run: LOG for variant in VARIANTS.values() for run in variant["runs"]}
    logs["b1"] = [dict(e, eval_log_loss=0.2) if e["step"] == 30 else e for e in LOG]
    return adapters_table(VARIANTS, logs, matrix)


def test_the_base_is_no_checkpoint():
    assert best_step(LOG) == {
        "best_step": 20, "dev_log_loss": 0.4, "dev_balanced_accuracy": 0.8
    }  # fmt: skip


def test_rows_are_means_over_seeds(table):
    row = table.set_index("variant").loc["S1000"]
    assert (row["seeds"], row["best_step"]) == (2, 25)
    assert row["dev_log_loss"] == pytest.approx(0.3)
    assert row["balanced_accuracy"] == 0.8


def test_panels_differ_in_one_setting(table):
    panels = one_setting_at_a_time(table)
    assert {name: rows["variant"].tolist() for name, rows in panels.items()} == {
        "clips": ["S100", "S1000"],
        "rank": ["R8", "S1000"],
        "spec_augment": ["X", "S1000"],
    }
    assert one_setting_at_a_time(table[:1]) == {}


def test_spec_augment_in_words():
    assert spec_augment_text(AUGMENT) == "F=10 T=5 % p=0.5"
    assert spec_augment_text(None) == "none"


def test_curves_in_long_form():
    curves = training_curves({"a": LOG})
    assert curves["quantity"].value_counts().to_dict() == {
        "dev_log_loss": 4, "dev_balanced_accuracy": 4, "loss": 1
    }  # fmt: skip


def test_figures(table, tmp_path):
    from speechdt.reporting.figures.style import save

    save(draw("adapters", {"adapters": table}, []), tmp_path / "adapters")
    curves = training_curves({"a": LOG, "b": LOG})
    figure = draw("training", {"training": curves}, [])
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()] == ["a", "b"]
    assert draw("adapters", {"adapters": table[:1]}, []).axes[0].get_xlabel() == "Adapter"


def test_a_card_with_test_figures():
    names = ("balanced_accuracy", "speech_accuracy", "nonspeech_accuracy", "auc", "dev_auc")
    figures = {f"{name}{end}": 0.75 for name in names for end in ("", "_low", "_high")}
    matrix = pd.DataFrame([{"variant": v, "model": "nano", "n": 40, **figures} for v in "AB"])
    card = card_with_test("# Card\n", matrix, ["B"])
    assert card.startswith("# Card\n\n## On test\n")
    assert "All 40 noisy test clips" in card
    assert "nano: a toy" in card
    assert "| B " in card
    assert "| A " not in card
