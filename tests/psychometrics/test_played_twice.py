"""Behind a mirrored lead-in speech is heard twice, and duration has no threshold."""

import pandas as pd

from speechdt.psychometrics.played_twice import REASON, without_duration


def test_there_is_no_threshold_along_duration_and_the_others_stay():
    bounds = {"dt50": 1.0, "dt50_low": 0.5, "dt50_high": 2.0, "dt50_censored": ""}
    bounds |= {name.replace("50", "75"): value for name, value in bounds.items()}
    table = pd.DataFrame([{"dimension": d, **bounds} for d in ("snr", "duration")])
    assert without_duration(table, heard_twice=False).drop(columns="reason").equals(table)
    rows = without_duration(table, heard_twice=True).set_index("dimension")
    assert rows.loc["duration", ["dt50", "dt75", "dt75_low", "dt50_high"]].isna().all()
    assert rows.loc["duration", "dt75_censored"] == "undefined"
    assert list(rows["reason"]) == ["", REASON]
    assert rows.loc["snr", list(bounds)].tolist() == list(bounds.values())
