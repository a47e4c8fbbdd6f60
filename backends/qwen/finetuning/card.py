"""Model card of an adapter: base, training data, settings and course of training."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
from huggingface_hub import ModelCardData

from speechdt.environment import versions

from .settings import FineTuning
from .trainer import dev_curve


def model_card(
    settings: FineTuning,
    trials: dict[str, pd.DataFrame],
    log: Sequence[dict[str, Any]],
    processes: int,
) -> str:
    """Return the card in Markdown, with the metadata that a hub reads.

    Parameters
    ----------
    settings : FineTuning
    trials : dict of DataFrame
        ``train`` and ``dev``.
    log : sequence of dict
        The Trainer's.
    processes : int
        How many trained together.
    """
    what = "full fine-tuning" if settings.full else f"LoRA, rank {settings.rank}"
    library = "transformers" if settings.full else "peft"
    header = ModelCardData(base_model=settings.model, library_name=library)
    curve = dev_curve(log)
    # Step 0 is the base itself, of which there is no checkpoint.
    best = min(curve[1:], key=lambda entry: entry["eval_log_loss"])
    parts = [
        f"---\n{header.to_yaml()}\n---",
        f"# Speech or no speech: {what}, loss on {settings.loss}",
        f"Base: `{settings.model}`, revision `{settings.revision or 'as found'}`. "
        f"Written by speechdt; checkpoint of step {best['step']}, which has the least log-loss on "
        f"dev. Trained by {processes} process{'es' * (processes > 1)}. No clip of test was seen.",
        "## Data",
        *(_counts(split, rows) for split, rows in trials.items()),
        "## Settings",
        "```json\n" + json.dumps(settings.result(), indent=1, default=str) + "\n```",
        "## On dev",
        _table(
            ["step", "log-loss", "balanced accuracy"],
            [
                [e["step"], f"{e['eval_log_loss']:.4f}", f"{e['eval_balanced_accuracy']:.3f}"]
                for e in curve
            ],
        ),
        "Versions: " + ", ".join(f"{name} {number}" for name, number in versions().items()),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _counts(split: str, trials: pd.DataFrame) -> str:
    cells = trials.groupby(["label", "snr_db", "duration_ms"], dropna=False).size()
    labels = ", ".join(f"{n} {label}" for label, n in trials["label"].value_counts().items())
    return (
        f"{split}: {len(trials)} clips ({labels}); {cells.min()} to {cells.max()} in each of "
        f"{len(cells)} cells of class, SNR and duration."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
