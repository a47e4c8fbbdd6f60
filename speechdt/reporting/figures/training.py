"""Curves of trainings, and test accuracy against the settings of adapters."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from speechdt.reporting.figures.style import (
    COLORS,
    MARKERS,
    PAGE,
    PALE,
    SMALL,
    message,
    panels,
    styled,
)
from speechdt.reporting.tables.training import one_setting_at_a_time

LABELS = {
    "clips": "Training clips",
    "rank": "LoRA rank",
    "loss": "Loss on",
    "spec_augment": "SpecAugment",
    "adapter": "Adapter",
}
ON_DEV, ON_TRAIN = COLORS[0], PALE


def training(training: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw loss on train and log-loss on dev against steps, one panel a training.

    Parameters
    ----------
    training : DataFrame
        The table of this name.
    variants : sequence of str
        Not used: trainings are drawn, in the order of the table.
    """
    with styled():
        names = list(dict.fromkeys(training["adapter"]))
        if not names:
            return message("Nothing was trained.")
        rows, columns = panels(len(names), 3 if len(names) <= 9 else 6)
        size = (PAGE * (columns + 0.3) / 3.3 if columns < 3 else PAGE, 1.5 * rows + 0.3)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        for panel, name in zip(axes.flat, names, strict=False):
            _curve(panel, training[training["adapter"] == name])
            panel.set_title(name, fontweight="bold")
        for panel in axes.flat[len(names) :]:
            panel.set_visible(False)
        axes[0, 0].legend(fontsize=SMALL)
        figure.supxlabel("Step", fontsize=8)
        figure.supylabel("Loss", fontsize=8)
        return figure


def _curve(axes: Axes, table: pd.DataFrame) -> None:
    train = table[table["quantity"] == "loss"]
    dev = table[table["quantity"] == "dev_log_loss"]
    axes.plot(train["step"], train["value"], color=ON_TRAIN, lw=0.8, label="train, its own loss")
    axes.plot(dev["step"], dev["value"], color=ON_DEV, marker="o", ms=2.5, label="dev, log-loss")
    later = dev[dev["step"] > 0]
    best = int(later["value"].to_numpy().argmin())
    axes.plot(
        later["step"].iloc[best],
        later["value"].iloc[best],
        color=COLORS[1],
        marker="*",
        ms=8,
        ls="none",
        label="kept",
    )
    axes.set_yscale("log")
    # Often within one decade: at 1, 2 and 5 of each.
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlim(left=0)


def adapters(adapters: pd.DataFrame, variants: Sequence[str]) -> Figure:
    """Draw balanced accuracy on test against each setting in which adapters differ.

    Parameters
    ----------
    adapters : DataFrame
        The table of this name.
    variants : sequence of str
        Not used: adapters are drawn by their settings.
    """
    with styled():
        # Where no two differ in one setting alone, they stand side by side.
        shown = one_setting_at_a_time(adapters) or {"adapter": adapters}
        figure = Figure(figsize=(PAGE * (len(shown) + 0.3) / 4.3, 2.4), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
        for panel, (setting, table) in zip(axes, shown.items(), strict=True):
            _setting(panel, setting, table)
        axes[0].set_ylabel("Balanced accuracy on test (%)")
        return figure


def _setting(axes: Axes, setting: str, table: pd.DataFrame) -> None:
    value = 100 * table["balanced_accuracy"].to_numpy(float)
    low = 100 * table["balanced_accuracy_low"].to_numpy(float)
    high = 100 * table["balanced_accuracy_high"].to_numpy(float)
    ordered = setting in ("clips", "rank")
    x = table[setting].to_numpy(float) if ordered else np.arange(len(table), dtype=float)
    axes.errorbar(
        x, value, [value - low, high - value], color=COLORS[0], marker=MARKERS[0], capsize=2,
        lw=1, ls="-" if ordered else "none",
    )  # fmt: skip
    for place, name in zip(x, table["variant"], strict=True):
        axes.annotate(
            name,
            (place, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=SMALL,
            color=PALE,
        )
    if ordered:
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks(x, [f"{level:g}" for level in x], rotation=90 if len(x) > 4 else 0)
    else:
        names = [str(name).replace(" %", "%").replace(" ", "\n") for name in table[setting]]
        axes.set_xticks(x, names)
        axes.set_xlim(-0.5, len(table) - 0.5)
    axes.set_xlabel(LABELS[setting])
