"""Within origins, what gives an origin away gives no class away."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from support.origin_observers import planted

from speechdt.statistics.within_origins import aucs, by_origin

SETTINGS = {"replicates": 400, "seed": 3}


def test_an_observer_that_recognises_origins_hears_nothing_within_them():
    table = by_origin(planted(0.0, 2.0), (), **SETTINGS).set_index("part")
    row = table.loc["all"]
    assert row["auc"] > 0.7
    assert row["auc_within"] == pytest.approx(0.5, abs=0.05)
    assert row["difference_low"] > 0


def test_an_observer_that_hears_loses_nothing_within_origins():
    row = by_origin(planted(1.0, 0.0), (), **SETTINGS).iloc[0]
    assert row["auc"] == pytest.approx(row["auc_within"], abs=0.03)
    assert row["difference_low"] < 0 < row["difference_high"]


def test_it_is_the_mean_over_pairs_of_one_origin():
    trials = planted(0.5, 1.0, items=300)
    won = pairs = 0.0
    for _, part in trials.groupby("origin"):
        if part["speech"].nunique() == 2:
            count = part["speech"].sum() * (~part["speech"]).sum()
            won += count * roc_auc_score(part["speech"], part["p_speech"])
            pairs += count
    areas = aucs(trials, replicates=100, seed=1)
    assert areas.within[0] == pytest.approx(won / pairs, abs=1e-12)
    assert areas.pooled[0] == pytest.approx(
        roc_auc_score(trials["speech"], trials["p_speech"]), abs=1e-12
    )


def test_seen_and_unseen_origins_have_rows_and_so_has_each_of_both_classes():
    trials = planted(1.0, 0.0)
    table = by_origin(trials, ["both1", "both2"], **SETTINGS)
    assert table["part"].tolist()[:3] == ["all", "seen", "unseen"]
    assert table.loc[table["part"] == "origin", "origin"].tolist() == [f"both{i}" for i in range(8)]
    sizes = table.set_index("part").loc[["all", "seen", "unseen"]]
    assert sizes["n"]["seen"] + sizes["n"]["unseen"] == sizes["n"]["all"] == len(trials)
    assert sizes["origins"].tolist() == [8, 6, 2]
    assert sizes["groups_speech"].tolist() == [32, 24, 8]


def test_origins_of_one_class_have_no_pairs():
    trials = planted(1.0, 0.0)
    apart = trials[~trials["origin"].str.startswith("both")]
    table = by_origin(apart, (), **SETTINGS)
    assert table["part"].tolist() == ["all"]
    assert np.isnan(table["auc_within"][0])
    assert table["auc_low"].notna().all()


def test_runs_are_averaged():
    runs = pd.concat([planted(1.0, 0.0, seed=0).assign(run=0), planted(1.0, 0.0).assign(run=1)])
    both = by_origin(runs, (), **SETTINGS).iloc[0]
    one = by_origin(planted(1.0, 0.0), (), **SETTINGS).iloc[0]
    assert both["auc_within"] == pytest.approx(one["auc_within"])
    assert both["n"] == one["n"]
