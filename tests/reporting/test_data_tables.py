"""Tables and sentences on the recordings count what is in their files."""

import pandas as pd

from speechdt.reporting.pages.report.sections import data
from speechdt.reporting.tables.data_text import faults_table


def test_faults_are_counted_by_class():
    sources = pd.DataFrame(
        {
            "label": ["SPEECH"] * 4 + ["NONSPEECH"] * 2,
            "faults": ["", "offset, hum", "hum", "", "clipping", "rumble"],
        }
    )
    table = faults_table(sources).set_index("Fault")
    assert table["SPEECH"].to_dict() == {
        "offset": "1 (25.0 %)", "rumble": "0 (0.0 %)",
        "hum": "2 (50.0 %)", "clipping": "0 (0.0 %)",
    }  # fmt: skip
    assert table["NONSPEECH"].tolist() == ["0 (0.0 %)", "1 (50.0 %)", "0 (0.0 %)", "1 (50.0 %)"]
    assert data._faults(sources.assign(faults="")) is None
    assert data._faults(sources.drop(columns="faults")) is None


def test_recordings_that_share_audio_are_counted():
    pairs = pd.DataFrame({"group_id": ["a", "a"], "other_group_id": ["b", "c"]})
    assert data._joined(pairs).startswith("2 pairs of recordings in 3 groups hold nearly the same")
    assert data._joined(pairs[:0]).startswith("No two recordings")
    assert data._joined(None) == ""
