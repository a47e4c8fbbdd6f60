"""Tables of trainings: curves of adapters, and results by their settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

QUANTITIES = {
    "loss": "loss",
    "eval_log_loss": "dev_log_loss",
    "eval_balanced_accuracy": "dev_balanced_accuracy",
}
"""Quantities in the log of a training, and their names in the table."""

Log = Sequence[Mapping[str, Any]]


def training_curves(logs: Mapping[str, Log]) -> pd.DataFrame:
    """Return the training curves in long form.

    Parameters
    ----------
    logs : mapping
        Content of ``adapters/{adapter}/curve.json`` by adapter.

    Returns
    -------
    DataFrame
        adapter, step, quantity (`QUANTITIES`), value.
    """
    rows = [
        (adapter, entry["step"], QUANTITIES[name], value)
        for adapter, log in logs.items()
        for entry in log
        for name, value in entry.items()
        if name in QUANTITIES
    ]
    return pd.DataFrame(rows, columns=["adapter", "step", "quantity", "value"])


def best_step(log: Log) -> dict[str, float]:
    """Return step, dev_log_loss and dev_balanced_accuracy of the checkpoint that was kept.

    It is the one of the least log-loss on dev; step 0 is the base, of which there is none.
    """
    evaluated = [entry for entry in log if "eval_log_loss" in entry and entry["step"] > 0]
    best = min(evaluated, key=lambda entry: entry["eval_log_loss"])
    return {
        "best_step": best["step"],
        "dev_log_loss": best["eval_log_loss"],
        "dev_balanced_accuracy": best["eval_balanced_accuracy"],
    }


def adapters_table(
    variants: Mapping[str, Mapping[str, Any]], logs: Mapping[str, Log], matrix: pd.DataFrame
) -> pd.DataFrame:
    """Return how good each adapter became, one row a variant.

    Parameters
    ----------
    variants : mapping
        Of each variant with an adapter: ``adapter`` (its name), ``runs`` (names of the trainings,
        one a seed) and the settings that it was trained with.
    logs : mapping
        Content of ``curve.json`` by training.
    matrix : DataFrame
        ``tables/matrix.csv``.

    Returns
    -------
    DataFrame
        variant, adapter, model, seeds, `SETTINGS` (spec_augment as text), best_step, dev_log_loss,
        dev_balanced_accuracy (means over seeds, on the clips of dev that chose the checkpoint, at
        log-odds 0), and balanced_accuracy with ``_low``, ``_high`` on test.
    """
    tested = matrix.set_index("variant")
    accuracy = ("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high")
    rows: list[dict[str, Any]] = []
    for variant, entry in variants.items():
        kept = pd.DataFrame([best_step(logs[run]) for run in entry["runs"]]).mean()
        rows.append(
            {
                "variant": variant,
                "adapter": entry["adapter"],
                "model": tested.loc[variant, "model"],
                "seeds": len(entry["runs"]),
                **{name: entry.get(name) for name in SETTINGS},
                "spec_augment": spec_augment_text(entry.get("spec_augment")),
                **{str(name): value for name, value in kept.items()},
                **{name: tested.loc[variant, name] for name in accuracy},
            }
        )
    return pd.DataFrame(rows)


def spec_augment_text(settings: Mapping[str, Any] | None) -> str:
    """Return ``F=10 T=5 % p=0.5``, or ``none``."""
    if not settings:
        return "none"
    return (
        f"F={settings['frequency_mask']} T={100 * settings['time_mask']:g} % "
        f"p={settings['probability']:g}"
    )


def one_setting_at_a_time(adapters: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return, for each setting that varies, the variants that differ in it alone.

    The variant that all are compared with is the one from which most others differ in one setting.

    Parameters
    ----------
    adapters : DataFrame
        From :func:`adapters_table`.

    Returns
    -------
    dict of str to DataFrame
        By setting: two rows or more, in the order of the setting.
    """
    settings = adapters[list(SETTINGS)].astype(object)
    best: dict[str, pd.DataFrame] = {}
    for place in range(len(adapters)):
        differs = settings.ne(settings.iloc[place])
        subsets = {
            name: adapters[~differs.drop(columns=name).any(axis=1)].sort_values(name)
            for name in SETTINGS
        }
        panels = {name: rows for name, rows in subsets.items() if rows[name].nunique() > 1}
        if sum(map(len, panels.values())) > sum(map(len, best.values())):
            best = panels
    return best


SETTINGS = ("clips", "rank", "loss", "spec_augment")
"""Settings whose worth a sweep asks for: a figure has a panel for each of those that vary."""
