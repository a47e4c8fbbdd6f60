"""Decisions of detectors on trials, from scores and calibration."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from speechdt.detectors.scoring import read_scored
from speechdt.statistics.calibration import Calibration


def read_calibration(path: Path | str) -> Calibration:
    """Read ``calibration/{variant}.json``."""
    return Calibration.from_dict(json.loads(Path(path).read_text()))


def decided_trials(
    cells: Sequence[Path | str],
    scores: Sequence[Path | str],
    calibration: Calibration,
    sources: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Join trials with their scores and what the calibration makes of them.

    Parameters
    ----------
    cells, scores : sequences of paths
    calibration : Calibration
    sources : DataFrame, optional
        The corpus, for the bandwidth of the targets if it knows that.

    Returns
    -------
    DataFrame
        Columns of a cell file without audio; speech (bool), p_speech, p_temperature, p_platt,
        decided and decided_far10 (bool); bandwidth_hz, if known.
    """
    trials = read_scored(cells, scores)
    if sources is not None and "bandwidth_hz" in sources:
        known = sources.drop_duplicates("source_id").set_index("source_id")["bandwidth_hz"]
        trials["bandwidth_hz"] = pd.to_numeric(trials["source_id"].map(known), errors="coerce")
    p = trials["p_speech"]
    return trials.assign(
        speech=trials["label"] == "SPEECH",
        p_temperature=calibration.tempered(p),
        p_platt=calibration.platt(p),
        decided=calibration.decide(p),
        decided_far10=p >= calibration.threshold_far10,
    )


def decided_runs(
    cells: Sequence[Path | str],
    scores: Sequence[Path | str],
    calibrations: Sequence[Path | str],
    sources: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return :func:`decided_trials` of all training runs of a variant, with the column ``run``.

    Parameters
    ----------
    cells : sequence of paths
        Cell files.
    scores : sequence of paths
        Score files of all cells of the first run, then of the second, and so on.
    calibrations : sequence of paths
        One of each run.
    sources : DataFrame, optional
        As for :func:`decided_trials`.
    """
    count = len(cells)
    return pd.concat(
        (
            decided_trials(
                cells,
                scores[run * count : (run + 1) * count],
                read_calibration(calibration),
                sources,
            ).assign(run=run)
            for run, calibration in enumerate(calibrations)
        ),
        ignore_index=True,
    )


def decided_by(
    variants: Mapping[str, int],
    cells: Sequence[Path | str],
    scores: Sequence[Path | str],
    calibrations: Sequence[Path | str],
) -> dict[str, pd.DataFrame]:
    """Return :func:`decided_runs` of each variant, on the same cells.

    Parameters
    ----------
    variants : mapping
        Number of training runs of each.
    cells : sequence of paths
        Cell files.
    scores : sequence of paths
        All cells of the first run of the first variant, then of its second run, and so on.
    calibrations : sequence of paths
        One of each run, in the same order.
    """
    found, done = {}, 0
    for variant, runs in variants.items():
        here = slice(done * len(cells), (done + runs) * len(cells))
        found[variant] = decided_runs(cells, scores[here], calibrations[done : done + runs])
        done += runs
    return found
