"""Words of inference, and p-values from intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from speechdt.statistics.families import ALPHA, FAMILIES, interval_p, judged, word


def test_the_end_of_an_interval_has_the_p_value_of_its_level():
    assert interval_p(0.8, 0.7, 0.9, 0.7) == pytest.approx(0.05)
    assert interval_p(0.8, 0.7, 0.9, 0.9) == pytest.approx(0.05)
    assert interval_p(0.8, 0.7, 0.9, 0.8) == 1
    assert interval_p(0.8, 0.75, 0.9, 0.7) < 0.001 + interval_p(0.8, 0.7, 0.9, 0.6)


def test_it_is_student_s_two_sided_p_value():
    half = t.ppf(0.975, 12)  # in standard errors
    assert interval_p(3.0, 3 - half, 3 + half, 0.0) == pytest.approx(2 * t.sf(3, 12))


def test_figures_without_an_interval_are_facts_and_open_ones_say_little():
    assert np.isnan(interval_p(0.8, 0.8, 0.8, 0.5))
    assert np.isnan(interval_p(0.8, np.nan, np.nan, 0.5))
    assert np.isnan(interval_p(np.nan, np.nan, np.nan, 0.5))
    assert interval_p(-np.inf, -np.inf, -1.0, 0.0) == pytest.approx(0.05)
    assert interval_p(-np.inf, -np.inf, 1.0, 0.0) == 1
    assert interval_p(0.0, -np.inf, 1.0, -5.0) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_words_stand_where_the_corrected_p_carries_them(family):
    better, worse, neither = FAMILIES[family][-3:]
    assert word(family, 0.1, ALPHA) == better
    assert word(family, -0.1, ALPHA) == worse
    assert word(family, 0.1, 0.051) == word(family, 0.0, 0.01) == word(family, 1, np.nan) == neither


def test_a_table_is_corrected_over_its_rows():
    table = pd.DataFrame({"auc_difference": [0.2, 0.1, -0.3]})
    table = table.assign(auc_difference_low=[0.1, 0.0, -0.35], auc_difference_high=[0.3, 0.2, -0.2])
    corrected = judged("versions", table, "auc")
    assert corrected["auc_p"].tolist()[1] == pytest.approx(0.05)
    assert (corrected["auc_p_holm"] >= corrected["auc_p"]).all()
    assert corrected["verdict"].tolist() == ["gain", "gain", "loss"]
    assert judged("versions", table.iloc[:0], "auc").empty
