"""Bank entries whose option B is SPEECH: asked as they are, read the right way round."""

import numpy as np
import pandas as pd
from scipy.special import expit

from speechdt.prompts.answer_options import swap_options
from speechdt.prompts.bank import ask_bank, best_of_bank

PLAIN = "Speech?\nA) yes\nB) no"
FREE = "Free of speech?\nA) yes\nB) no"


def test_an_entry_whose_speech_is_b():
    hears = np.array([2.0, -1.0])  # log-odds that there is speech
    bias = 0.5  # for A
    says = {PLAIN: hears, swap_options(PLAIN): -hears, FREE: -hears, swap_options(FREE): hears}

    def ask(texts):
        return expit(np.array([says[text] + bias for text in texts]))

    prompts = {"plain": PLAIN, "free": {"text": FREE, "speech_is": "B"}}
    answers, orders = ask_bank(ask, prompts, both=False)
    np.testing.assert_allclose(answers["plain"], expit(hears + bias))
    np.testing.assert_allclose(answers["free"], expit(hears - bias))
    np.testing.assert_allclose(orders["free"], [hears - bias, hears + bias])
    both, _ = ask_bank(ask, prompts, both=True)
    np.testing.assert_allclose(both["free"], expit(hears))
    table = pd.DataFrame({"prompt": ["plain", "free"], "log_loss": [0.5, 0.4]})
    best = best_of_bank(table, prompts, "log_loss", 2)
    assert list(best.items()) == [("free", swap_options(FREE)), ("plain", PLAIN)]
