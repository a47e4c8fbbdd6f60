"""Gains of a search, where the true gain is planted."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from support.searches import BASELINE, OTHER, detector, run_search, world

from speechdt.prompts.answer_options import swap_options
from speechdt.prompts.bank import ask_bank, bank_table, best_of_bank
from speechdt.prompts.comparison import PROMPTS, all_searches, compare_search
from speechdt.reporting.tables.prompts_text import bank_display, first_lines, searches_table
from speechdt.statistics.calibration import logit

SETTINGS = {"replicates": 200, "permutations": 200, "seed": 0}


def judged(seed, sensitivity, noise, **budget):
    """Search on dev, and compare on test, trials of the same kind."""
    dev, test = world(2 * seed), world(2 * seed + 1)
    result = run_search(dev, detector(dev, sensitivity, noise), **budget)
    texts = [BASELINE, result["winner"]["prompt"], result["control"]["winner"]["prompt"]]
    parts = []
    for split, trials in (("dev", dev), ("test", test)):
        answers = detector(trials, sensitivity, noise)(texts, np.arange(len(trials.item)))
        table = pd.DataFrame({"split": split, "group_id": trials.group, "item_id": trials.item})
        table["trial_id"] = [f"{split}-{i}" for i in range(len(table))]
        table["label"] = np.where(trials.speech, "SPEECH", "NONSPEECH")
        parts.append(table.assign(**dict(zip(PROMPTS, answers, strict=True))))
    return compare_search(pd.concat(parts, ignore_index=True), **SETTINGS)


@pytest.mark.parametrize("searches", [15, pytest.param(40, marks=pytest.mark.campaign)])
def test_noise_that_prompts_seed_is_no_gain(searches):
    verdicts = [
        all_searches([judged(seed, lambda _: 1.0, 1.0, steps=2, candidates=4)])["verdict"]
        for seed in range(searches)
    ]
    verdicts = np.array([list(column) for column in verdicts])
    # Over random search, and over the baseline.
    assert (verdicts[:, 0] == "not shown").mean() >= 0.9
    assert (verdicts[:, 1] == "not shown").mean() >= 0.9


def test_a_gain_is_told_and_what_dev_promised_beside_it():
    def sensitivity(prompt):
        return 1.5 if prompt != BASELINE else 0.5

    table = judged(0, sensitivity, 0.3, steps=1)
    assert all_searches([table])["verdict"].tolist() == ["not shown", "gain", "gain"]
    over_baseline = table.iloc[1]
    assert over_baseline["log_loss_gain_low"] > 0
    assert over_baseline["p"] < 0.05
    gaps = table["difference_dev"] - table["difference"]
    np.testing.assert_allclose(table["gap"], gaps)
    both = all_searches([table.assign(search="x"), table.assign(search="y")])
    assert (both["p_holm"] >= both["p"]).all()
    assert both["p_holm"].max() <= 1
    (line, _) = first_lines(both)
    assert line.startswith("x: on test, the prompt that the search found minus that of a random")
    assert line.endswith("; neither a gain nor a loss is shown.")
    shown = searches_table(both)
    assert shown["Contrast"].tolist()[:2] == ["search − random", "search − baseline"]


def test_the_bank_is_ranked_by_log_loss_and_its_order_bias_is_known():
    trials = world(5)
    prompts = {"baseline": BASELINE, "other": OTHER, "free": "Is it speech?"}
    strength = {BASELINE: 0.5, OTHER: 1.5, "Is it speech?": 0.1}
    sign = np.where(trials.speech, 1, -1)
    lean = 0.4  # towards A, whatever it stands for

    def ask(texts):
        odds = []
        for text in texts:
            plain = text in strength
            z = strength[text if plain else swap_options(text)] * sign + trials.ease
            odds.append((z if plain else -z) + lean)
        return expit(np.array(odds))

    answers, orders = ask_bank(ask, prompts, both=False)
    assert set(orders) == {"baseline", "other"}
    table = pd.DataFrame({"item_id": trials.item, "group_id": trials.group})
    table["label"] = np.where(trials.speech, "SPEECH", "NONSPEECH")
    bank = bank_table(table, answers, orders, "baseline", replicates=100, seed=0)
    by_prompt = bank.set_index("prompt")
    assert by_prompt.loc["baseline", "order_bias"] == pytest.approx(lean)
    assert np.isnan(by_prompt.loc["free", "order_bias"])
    assert by_prompt.loc["baseline", ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]
    assert by_prompt.loc["other", "gain_low"] > 0 > by_prompt.loc["free", "gain_high"]
    assert list(best_of_bank(bank, prompts, "log_loss", 2)) == ["other", "baseline"]
    assert list(best_of_bank(bank, prompts, "auc", 1)) == ["other"]
    assert bank_display(bank.assign(search="x"))["Prompt"].tolist() == ["other", "baseline", "free"]
    averaged, _ = ask_bank(ask, prompts, both=True)
    expected = strength[OTHER] * sign + trials.ease
    np.testing.assert_allclose(logit(averaged["other"]), expected, atol=1e-3)
