"""Tables of prompts and searches as text."""

from typing import Any

import pandas as pd

from speechdt.reporting.tables.formatting import (
    MISSING,
    decimal,
    minus,
    number,
    percent,
    text_table,
)
from speechdt.reporting.tables.skill import LEAST_MASS
from speechdt.reporting.tables.statistics_text import p_value

BANK_NOTE = (
    "On all of dev. Log-loss after Platt scaling; gain: how much lower than that of the baseline "
    "prompt on the same clips. Decisions with the threshold that suits dev best. Bias: by how much "
    "the order of the options favours SPEECH, in log-odds; flipped: answers that change with it. "
    "In brackets: 95 % intervals over groups of recordings."
)
SEARCHES_NOTE = (
    "Differences of balanced accuracy in points, thresholds from dev. Dev: what dev promised; gap: "
    "by how much that is more than test kept. Log-loss gain: after Platt scaling learned on dev. "
    "Random: a search by the same proposer, on the same clips, with as many questions and without "
    "the scores of earlier prompts. In brackets: 95 % intervals over groups of recordings; p by "
    "exchanging whole groups, Holm over all rows; gain and loss: where that p is at most 0.05. "
    "Luck of the search is in no interval: another seed would have found another prompt."
)
VERDICTS = {
    "gain": "a gain, corrected for the number of comparisons",
    "loss": "a loss, corrected for the number of comparisons",
    "not shown": "neither a gain nor a loss is shown",
}
"""What may be said of a difference, by the verdict on it."""
PROMPTS = {"winner": "search", "control": "random", "baseline": "baseline"}
"""Names of the prompts of a search in the tables."""


def bank_display(bank: pd.DataFrame) -> pd.DataFrame:
    """Return the prompts of the bank: one row for each detector and prompt, best first."""
    ordered = bank.sort_values(["search", "log_loss"], kind="stable")
    return text_table(
        ordered,
        {
            "Search": lambda row: str(row["search"]),
            "Prompt": lambda row: str(row["prompt"]),
            "Log-loss": lambda row: decimal(row, "log_loss"),
            "Gain": lambda row: decimal(row, "gain"),
            "Accuracy (%)": lambda row: percent(row, "accuracy"),
            "Balanced (%)": lambda row: percent(row, "balanced_accuracy"),
            "SPEECH (%)": lambda row: percent(row, "speech_accuracy"),
            "NONSPEECH (%)": lambda row: percent(row, "nonspeech_accuracy"),
            "AUC": lambda row: decimal(row, "auc"),
            "Confidence": lambda row: decimal(row, "confidence"),
            "Bias (log-odds)": _bias,
            "Flipped (%)": lambda row: number(100 * row["flipped"]),
        },
    )


def _bias(row: Any) -> str:
    if pd.isna(row["order_bias"]):
        return MISSING
    return minus(f"{row['order_bias']:+.2f} ± {row['order_bias_sd']:.2f}")


def searches_table(searches: pd.DataFrame) -> pd.DataFrame:
    """Return the worth of each search: three rows a search, that over random search first."""
    return text_table(
        searches,
        {
            "Search": lambda row: str(row["search"]),
            "Contrast": lambda row: f"{PROMPTS[row['prompt']]} − {PROMPTS[row['reference']]}",
            "Test (points)": lambda row: percent(row, "difference"),
            "p": lambda row: p_value(row["p"]),
            "p, Holm": lambda row: p_value(row["p_holm"]),
            "Dev (points)": lambda row: number(100 * row["difference_dev"]),
            "Gap (points)": lambda row: number(100 * row["gap"]),
            "Log-loss gain, test": lambda row: decimal(row, "log_loss_gain"),
            "Log-loss gain, dev": lambda row: number(row["log_loss_gain_dev"], 3),
            "Verdict": lambda row: str(row["verdict"]),
        },
    )


def first_lines(searches: pd.DataFrame) -> list[str]:
    """Return a sentence for each search: its winner's difference to random search on test."""
    return [
        f"{row['search']}: on test, the prompt that the search found minus that of a random search "
        f"with as many questions is {percent(row, 'difference')} points of balanced accuracy; "
        f"{VERDICTS[row['verdict']]}."
        for _, row in searches.iterrows()
        if row["prompt"] == "winner" and row["reference"] == "control"
    ]


def _mass(row: pd.Series) -> str:
    """Return the answers' share of the probability; NaN, or no column, where it is not known."""
    mass = row.get("answer_mass")
    if mass is None or pd.isna(mass):
        return MISSING
    return f"{100 * mass:.1f}" + " (!)" * bool(mass < LEAST_MASS)


def order_bias_table(biases: pd.DataFrame) -> pd.DataFrame:
    """Return the bias of option order, one row a variant that is asked in words."""
    return text_table(
        biases,
        {
            "Variant": lambda row: str(row["variant"]),
            "Bias (log-odds)": lambda row: minus(f"{row['bias']:+.2f} ± {row['bias_sd']:.2f}"),
            "Flipped (%)": lambda row: f"{100 * row['flipped']:.1f}",
            "P(A) + P(B) (%)": _mass,
            "AUC": lambda row: f"{row['auc']:.3f}",
            "AUC, exchanged": lambda row: f"{row['auc_exchanged']:.3f}",
            "Balanced at 0.5 (%)": lambda row: f"{100 * row['balanced_accuracy']:.1f}",
            "Balanced at 0.5, exchanged (%)": lambda row: (
                f"{100 * row['balanced_accuracy_exchanged']:.1f}"
            ),
        },
    )
