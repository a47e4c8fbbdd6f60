"""Operating points, versions and labels in doubt on the page, and the three sentences."""

import numpy as np
import pandas as pd
import pytest
from support.made_tables import make
from support.pages import Page, results

from speechdt.reporting.pages.report.page import render
from speechdt.reporting.pages.report.ranking import sentences
from speechdt.reporting.tables.operating_points import at, levels
from speechdt.reporting.tables.operating_points_text import detectors_table, thresholds_table
from speechdt.statistics.versions import COLUMNS

BACKENDS = pd.Series({"D1": "one", "D2": "two", "D3": "three", "B1": "trained"})


def points(areas, hits=None):
    """Return a table: areas by slice and variant, with intervals of ± 0.05."""
    rows = []
    for (by, level), of_slice in areas.items():
        for variant, value in of_slice.items():
            figures = {"auc": value, "hit_far10": (hits or of_slice)[variant]}
            for metric, figure in figures.items():
                ends = (figure, figure - 0.05, figure + 0.05)
                rows.append((variant, variant != "B1", by, level, 400, 20, metric, *ends))
    columns = ["variant", "ready_made", "by", "level", "n", "groups", "metric"]
    return pd.DataFrame(rows, columns=[*columns, "value", "low", "high"])


AREAS = {
    ("all", ""): {"D1": 0.7, "D2": 0.9, "D3": 0.8, "B1": 0.99},
    ("duration_ms", "200"): {"D1": 0.6, "D2": 0.7, "D3": 0.65},
    ("duration_ms", "300"): {"D1": 0.76, "D2": 0.8, "D3": 0.75},
    ("background", "speech_shaped"): {"D1": 0.6, "D2": 0.8, "D3": 0.7},
    ("background", "recording"): {"D1": 0.72, "D2": 0.82, "D3": 0.71},
    ("background", "pink"): {"D1": 0.6, "D2": 0.7, "D3": 0.8},
    ("background", "white"): {"D1": 0.72, "D2": 0.7, "D3": 0.71},
}


def test_the_sentences_name_order_changes_and_intervals():
    order, changes, backgrounds = sentences(points(AREAS), BACKENDS)
    assert order.endswith(
        "is D2 (two) 0.900 [0.850, 0.950], D3 (three) 0.800 [0.750, 0.850] and "
        "D1 (one) 0.700 [0.650, 0.750]."
    )
    assert "at 10 % false alarms the order is the same: D2 90.0 [85.0, 95.0] %, D3" in changes
    assert "at 300 ms, by AUC, the order changes: D2 0.800 [0.750, 0.850], D1 0.760" in changes
    assert backgrounds == (
        "By AUC in each background: in speech-shaped noise D2 0.800 [0.750, 0.850] leads, and the "
        "order is the same; in recorded noise D2 0.820 [0.770, 0.870] leads, while D1 0.720 "
        "[0.670, 0.770] passes D3 0.710 [0.660, 0.760]; in pink noise D3 0.800 "
        "[0.750, 0.850] leads ahead of D2 0.700 [0.650, 0.750]; in white noise the "
        "order is D1 0.720 [0.670, 0.770], D3 0.710 [0.660, 0.760] and D2 0.700 [0.650, 0.750]."
    )
    assert "B1" not in order + changes + backgrounds


def test_of_many_detectors_a_background_names_the_first_and_counts_the_rest():
    names = [f"D{n}" for n in range(1, 7)]
    whole = {name: 0.9 - place / 20 for place, name in enumerate(names)}
    turned = dict(zip(names, reversed(whole.values()), strict=True))
    areas = {("all", ""): whole, ("background", "white"): turned}
    *_, backgrounds = sentences(points(areas), pd.Series("any", index=names))
    assert backgrounds == (
        "By AUC in each background: in white noise D6 0.900 [0.850, 0.950], D5 0.850 [0.800, "
        "0.900] and D4 0.800 [0.750, 0.850] come first, and 15 of 15 pairs stand the other way "
        "round."
    )


def test_one_detector_has_no_order_and_rates_without_trials_are_said():
    alone = points({("all", ""): {"D1": 0.7, "B1": 0.8}})
    assert sentences(alone, BACKENDS) == []
    few = points(AREAS, dict.fromkeys(("D1", "D2", "D3", "B1"), np.nan))
    assert "too few NONSPEECH trials" in sentences(few, BACKENDS)[1]


def test_tables_have_a_row_a_variant_and_a_vendor_only_where_there_is_one():
    made = make(3)
    operating_points = made["operating_points"]
    assert list(at(operating_points)["variant"]) == ["D2", "D1", "A1"]
    assert at(operating_points, "background", "nowhere").empty
    assert levels(operating_points, "duration_ms") == ["200", "500", "1000"]
    rows = thresholds_table(operating_points)[["Variant", "Threshold"]].to_numpy().tolist()
    assert rows == [
        *(["D2", "dev's"], ["D2", "vendor's"], ["D1", "dev's"]),
        *(["A1", "dev's"], ["A1", "vendor's"]),
    ]
    tables = (made[name] for name in ("matrix", "latency", "thresholds"))
    table = detectors_table(operating_points, *tables, {"snr": (-5, 10)})
    assert table["Variant"].tolist()[-1] == "A1"  # what is not ready-made comes last
    assert table["Detector"].tolist()[-1] == "nano backend_2"


def test_the_page_has_the_sections_that_the_run_has_results_for():
    page = Page(render(results(3)))
    named = [row[0].split()[0] for row in page.rows["few-false-alarms"][1:]]
    assert named == ["D2", "D1", "A1"]
    assert page.ids.index("summary") < page.ids.index("matrix")
    assert "detector-versions" not in page.ids
    pair = {name: 0.5 for name in COLUMNS} | {"variant": "D2", "reference": "D1", "verdict": "gain"}
    listed = pd.DataFrame({"source_id": ["s1"], "label": ["SPEECH"]})
    more = {"versions": pd.DataFrame([pair]), "to_hear": listed}
    page = Page(render(results(3, more)))
    assert page.rows["versions-scores"][1][0] == "D2 − D1"
    assert "the label of 1 of the recordings of dev and test (1 SPEECH)" in "".join(page.text)
    page = Page(render(results(3, {"to_hear": listed.iloc[:0]})))
    assert "There is no recording whose label all ready-made detectors" in "".join(page.text)


@pytest.mark.parametrize("count", [1, 3])
def test_there_are_sentences_only_where_there_is_an_order(count):
    assert ("summary" in Page(render(results(count))).ids) == (count > 1)
