"""Runs of one cell have no curves: what is written of them has none either, and does not fail."""

import numpy as np
import pandas as pd

from speechdt.reporting.pages.report import ranking
from speechdt.reporting.tables import formatting
from speechdt.reporting.tables.reading import read_table


def test_a_table_of_curves_without_rows_has_no_ranges(tmp_path):
    file = tmp_path / "curves.csv"
    file.write_text("variant,kind,dimension,slice,fitted,level,rate,low,high\n")
    assert formatting.tested_ranges(read_table(file)) == {}


def test_a_detector_without_a_figure_in_a_background_is_not_ranked_there():
    table = pd.DataFrame({"variant": ["A", "B", "C"], "auc": [0.7, np.nan, 0.8]})
    table = table.assign(auc_low=0.6, auc_high=0.9)
    assert ranking._leader(["A", "B", "C"], table).startswith("C ")
