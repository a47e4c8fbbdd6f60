"""Scores of the prompt bank on dev."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from speechdt.arrays import Bools, Floats
from speechdt.detectors.hearing import Hearing
from speechdt.prompts.answer_options import swap_options
from speechdt.prompts.bank_entries import speech_as_a, speech_is, text_of
from speechdt.prompts.judge import Judge
from speechdt.prompts.objectives import OBJECTIVES
from speechdt.prompts.order_bias import order_bias
from speechdt.statistics.calibration import calibrate, logit
from speechdt.statistics.metrics import evaluate

METRICS = (
    *("balanced_accuracy", "accuracy", "balanced_accuracy_half", "auc"),
    *("speech_accuracy", "nonspeech_accuracy"),
    *("confidence", "confidence_correct", "confidence_wrong"),
)
"""Metrics of ``prompts.csv``, each with ``_low`` and ``_high``."""


def bank_table(
    trials: pd.DataFrame,
    answers: Mapping[str, Floats],
    orders: Mapping[str, Floats],
    baseline: str,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Return a row for each prompt.

    Parameters
    ----------
    trials : DataFrame
        label, item_id and group_id of each clip of dev.
    answers : mapping of str to float array, (clips,)
        P(speech) by the name of the prompt.
    orders : mapping of str to float array, (2, clips)
        Log-odds with the options as they are and exchanged, where there are two.
    baseline : str
        Name of the prompt that the others are compared with.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        prompt (its name), clips, items; log_loss (after Platt scaling), gain (in log-loss, over
        the baseline on the same clips) and `METRICS`, each with ``_low`` and ``_high``; order_bias,
        order_bias_sd and flipped (see `order_bias.order_bias`), NaN where unknown.
    """
    speech = (trials["label"] == "SPEECH").to_numpy()
    judge = Judge(speech, trials["item_id"], trials["group_id"], "log_loss", replicates, seed)
    rows = []
    for name, p in answers.items():
        (verdict,) = judge.judge(p[None], answers[baseline], np.arange(len(p)))
        row: dict[str, Any] = {"prompt": name}
        row |= {key.replace("score", "log_loss"): x for key, x in verdict._asdict().items()}
        row |= _metrics(trials, speech, p, replicates, seed)
        bias = order_bias(orders[name], speech) if name in orders else {}
        row["order_bias"] = bias.get("bias", np.nan)
        row["order_bias_sd"] = bias.get("bias_sd", np.nan)
        row["flipped"] = bias.get("flipped", np.nan)
        rows.append(row)
    return pd.DataFrame(rows)


def _metrics(
    trials: pd.DataFrame, speech: Bools, p: Floats, replicates: int, seed: int
) -> dict[str, float]:
    """Return `METRICS`, decided by the threshold that suits dev, as that of a detector does."""
    learned = calibrate(p, speech)
    decided = trials[["item_id", "group_id"]].assign(
        speech=speech,
        p_speech=p,
        p_temperature=learned.tempered(p),
        p_platt=learned.platt(p),
        decided=learned.decide(p),
    )
    table = evaluate(decided, replicates=replicates, seed=seed).set_index("metric")
    columns = (("", "value"), ("_low", "low"), ("_high", "high"))
    figures = table.reindex(list(METRICS))
    return {
        f"{metric}{end}": float(value)
        for end, column in columns
        for metric, value in zip(METRICS, figures[column].to_numpy(), strict=True)
    }


def each_order(hearing: Hearing) -> tuple[Hearing, bool]:
    """Return a detector that is asked in one order at a time, and whether it averages both."""
    both = hearing.options.get("option_order") == "both"
    options = {**hearing.options, **({"option_order": "fixed"} if both else {})}
    return replace(hearing, options=options), both


def texts_of(prompts: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the text of each prompt, and of those that have two options with these exchanged."""
    texts = {name: text_of(entry) for name, entry in prompts.items()}
    swapped = {}
    for name, text in texts.items():
        with suppress(ValueError):
            swapped[name] = swap_options(text)
    return texts, swapped


def ask_bank(
    ask: Callable[[Sequence[str]], Floats], prompts: Mapping[str, Any], *, both: bool
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Ask each prompt, and each with the texts of its options exchanged.

    Parameters
    ----------
    ask : callable
        Returns the probability of option A, (prompts, clips), of texts about all clips.
    prompts : mapping
        By name, the text of each prompt, or a mapping with ``text`` and ``speech_is``.
    both : bool
        Whether the detector averages the log-odds over both orders.

    Returns
    -------
    answers, orders : dicts
        As for :func:`bank_table`; a prompt without two options has no order.
    """
    texts, swapped = texts_of(prompts)
    signs = {name: 1 if speech_is(entry) == "A" else -1 for name, entry in prompts.items()}
    log_odds = logit(ask([*texts.values(), *swapped.values()]))
    first = {name: signs[name] * odds for name, odds in zip(texts, log_odds, strict=False)}
    exchanged = zip(swapped, log_odds[len(texts) :], strict=True)
    second = {name: -signs[name] * odds for name, odds in exchanged}
    orders = {name: np.array([first[name], second[name]]) for name in swapped}
    answers = {
        name: expit(orders[name].mean(axis=0) if both and name in orders else odds)
        for name, odds in first.items()
    }
    return answers, orders


def best_of_bank(
    table: pd.DataFrame, prompts: Mapping[str, Any], objective: str, count: int
) -> dict[str, str]:
    """Return the best prompts of the bank by an objective, best first: text by name.

    One whose option B is SPEECH has its options exchanged; without two options it is left out.
    """
    ascending = OBJECTIVES[objective].sign < 0
    ordered = table.sort_values(objective, ascending=ascending, kind="stable")
    texts = {name: speech_as_a(prompts[name]) for name in ordered["prompt"]}
    return dict(islice(((name, text) for name, text in texts.items() if text), count))
