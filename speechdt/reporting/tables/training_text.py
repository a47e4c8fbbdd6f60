"""Tables and model cards of adapters as text."""

from collections.abc import Sequence

import pandas as pd

from speechdt.reporting.tables.formatting import (
    Cell,
    decimal,
    model_notes,
    number,
    percent,
    text_table,
)
from speechdt.reporting.tables.markup import markdown


def adapters_text(adapters: pd.DataFrame) -> pd.DataFrame:
    """Return `adapters.adapters_table` as people read it."""
    columns: dict[str, Cell] = {
        "Variant": lambda row: str(row["variant"]),
        "Adapter": lambda row: str(row["adapter"]),
        "Clips": lambda row: f"{row['clips']:.0f}",
        "Rank": lambda row: f"{row['rank']:.0f}",
        "Loss on": lambda row: str(row["loss"]),
        "SpecAugment": lambda row: str(row["spec_augment"]),
        "Seeds": lambda row: f"{row['seeds']:.0f}",
        "Kept step": lambda row: number(row["best_step"], 0),
        "Log-loss, dev": lambda row: number(row["dev_log_loss"], 3),
        "Balanced, test (%)": lambda row: percent(row, "balanced_accuracy"),
    }
    return text_table(adapters, columns)


def card_with_test(card: str, matrix: pd.DataFrame, variants: Sequence[str]) -> str:
    """Return an adapter's model card with what it does on test.

    Parameters
    ----------
    card : str
        As training wrote it.
    matrix : DataFrame
        ``tables/matrix.csv``.
    variants : sequence of str
        That use the adapter.
    """
    rows = matrix[matrix["variant"].isin(variants)]
    table = pd.DataFrame(
        {
            "Variant": rows["variant"],
            "Balanced accuracy (%)": [
                percent(row, "balanced_accuracy") for _, row in rows.iterrows()
            ],
            "SPEECH (%)": [percent(row, "speech_accuracy") for _, row in rows.iterrows()],
            "NONSPEECH (%)": [percent(row, "nonspeech_accuracy") for _, row in rows.iterrows()],
            "AUC": [decimal(row, "auc") for _, row in rows.iterrows()],
        },
        dtype=str,
    )
    note = (
        f"All {rows['n'].iloc[0]} noisy test clips, threshold from dev; in brackets: 95 % "
        "intervals over groups."
    )
    return f"{card}\n## On test\n\n" + markdown(table, " ".join([*model_notes(rows), note]))
