"""The plan's cells, and those of curves in addition."""

from speechdt.trials.grid import Grid


def test_levels_of_curves_are_beside_the_plans():
    grid = Grid(snr_db=[-5, 10], duration_ms=[200], clean_ms=1000, curve_snr_db=[-15, -5])
    assert [cell.snr_db for cell in grid.noisy] == [-5, 10]
    # A level of both stands there once.
    assert grid.names("snr") == ["snr-5_dur200", "snr10_dur200", "snr-15_dur200"]
    assert grid.names() == [*grid.names("snr"), "clean_dur1000", "catch_dur200"]
    assert grid._replace(curve_snr_db=()).names("snr") == ["snr-5_dur200", "snr10_dur200"]
