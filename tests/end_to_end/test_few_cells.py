"""Grids without a curve along SNR, along duration, or at all: a whole report and a whole paper."""

import pandas as pd
import pytest
import yaml
from support.checkouts import ASKED, copy_checkout, run
from support.paper_checks import check_numbers

GRIDS = {
    "one SNR": ({"snr_db": [10], "duration_ms": [200, 1000]}, {"duration"}),
    "one duration": ({"snr_db": [-5, 10], "duration_ms": [200]}, {"snr", "snr_speech"}),
    "one cell": ({"snr_db": [10], "duration_ms": [200]}, set()),
}
"""Levels, and the dimensions that are left for a threshold."""


@pytest.mark.campaign
def test_a_grid_with_few_cells_has_a_whole_report_and_paper(root, tmp_path):
    """One after the other in one folder, so that recordings are read and heard once."""
    folder = copy_checkout(root, tmp_path)
    small = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    for name, (levels, dimensions) in GRIDS.items():
        config = small | {"grid": levels | {"curve_snr_db": []}, "variants": ASKED}
        (folder / "few.yaml").write_text(yaml.safe_dump(config))
        run(folder, "all", "paper", config="few.yaml")
        results = folder / "results"
        matrix = pd.read_csv(results / "tables" / "matrix.csv").set_index("variant")
        assert matrix.loc[["D1", "D2"], "auc"].notna().all(), name
        thresholds = pd.read_csv(results / "tables" / "thresholds.csv")
        measured = thresholds.loc[thresholds["dt75"].notna(), "dimension"]
        assert set(measured) <= dimensions, name
        assert "</html>" in (results / "report.html").read_text()
        assert "\\end{document}" in (results / "paper" / "main.tex").read_text()
        assert check_numbers(results) > 20, name
