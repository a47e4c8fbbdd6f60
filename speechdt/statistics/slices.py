"""Test trials with the decisions of one variant, and its metrics slice by slice."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from speechdt.calibration import Calibration
from speechdt.flags import heard
from speechdt.metrics import by_run, evaluate
from speechdt.scoring import read_scored

COLUMNS = ["by", "level", "n", "groups", "metric", "value", "low", "high"]
"""Of the metrics of one variant."""
FULL_BAND_HZ = 7000
"""Sources that reach this high sound alike at 16 kHz; telephone speech ends at 4 kHz."""


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


def by_slice(trials: pd.DataFrame, *, replicates: int, seed: int) -> pd.DataFrame:
    """Compute all metrics over all trials in noise, and for each part of them.

    Parameters
    ----------
    trials : DataFrame
        From :func:`decided_runs`, noisy and clean cells.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        by (all, snr_db, duration_ms, category, cell, bandwidth or clean), level, n, groups, metric,
        value, low, high.
    """
    return _measured(_slices(trials), replicates, seed)


def without_flagged(
    trials: pd.DataFrame, flagged: set[str], *, replicates: int, seed: int
) -> pd.DataFrame:
    """Compute all metrics over the trials in noise in which no flagged recording is heard.

    Parameters
    ----------
    trials : DataFrame
        From :func:`decided_runs`.
    flagged : set of str
        From `flags.read_flagged`.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns of :func:`by_slice`, `by` being hygiene; no row if all are flagged, or none.
    """
    noisy = trials[trials["snr_db"].notna()]
    sound = noisy[~heard(noisy, flagged)]
    parts = [("hygiene", "unflagged", sound)] if 0 < len(sound) < len(noisy) else []
    return _measured(parts, replicates, seed)


def _measured(
    parts: Iterable[tuple[str, str, pd.DataFrame]], replicates: int, seed: int
) -> pd.DataFrame:
    tables = []
    for by, level, part in parts:
        table = evaluate(part, replicates=replicates, seed=seed)
        table.insert(0, "by", by)
        table.insert(1, "level", level)
        table.insert(2, "n", len(by_run(part)[0]))
        table.insert(3, "groups", part["group_id"].nunique())
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _slices(trials: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    noisy = trials[trials["snr_db"].notna()]
    yield "all", "", noisy
    for by in ("snr_db", "duration_ms"):
        for level, part in noisy.groupby(by):
            yield by, f"{level:g}", part
    for category, part in noisy.groupby("category"):
        yield "category", str(category), part
    for (snr, duration), part in noisy.groupby(["snr_db", "duration_ms"]):
        yield "cell", f"snr{snr:g}_dur{duration:g}", part
    yield from _strata(noisy)
    clean = trials[trials["snr_db"].isna()]
    if len(clean):
        yield "clean", f"{clean['duration_ms'].iloc[0]}", clean


def _strata(noisy: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield the trials of narrow and of full bandwidth."""
    if "bandwidth_hz" in noisy:
        narrow = noisy["bandwidth_hz"] < FULL_BAND_HZ
        for level, of in (("narrow", narrow), ("full", noisy["bandwidth_hz"] >= FULL_BAND_HZ)):
            if of.any():
                yield "bandwidth", level, noisy[of]
