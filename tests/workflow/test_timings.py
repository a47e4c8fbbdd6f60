"""Rounds of timings."""

from speechdt.workflow import timings


def test_a_round_is_begun_once_a_process_and_by_a_dry_run_for_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(timings, "_begun", {})
    assert timings.current(tmp_path) == 0
    timings.begin(tmp_path, dry=True)
    assert timings.current(tmp_path) == 1
    monkeypatch.setattr(timings, "_begun", {})
    assert timings.current(tmp_path) == 0
    timings.begin(tmp_path, dry=False)
    timings.begin(tmp_path, dry=False)
    monkeypatch.setattr(timings, "_begun", {})
    assert timings.current(tmp_path) == 1
