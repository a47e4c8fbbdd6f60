"""Metrics of one variant by slice of the test trials."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from speechdt.arrays import Floats
from speechdt.cell_name import cell_name
from speechdt.statistics.metrics import by_run, evaluate

COLUMNS = ["by", "level", "n", "groups", "metric", "value", "low", "high"]
"""Of the metrics of one variant."""
STEADIED = ("all", "clean")
"""What ``matrix.csv`` shows has as many replicates as it takes until no bound
hangs on their number: where a detector at chance says SPEECH to hardly anything, few replicates
carry the bound of precision."""
FULL_BAND_HZ = 7000
"""Sources that reach this high sound alike at 16 kHz; telephone speech ends at 4 kHz."""


def by_slice(
    trials: pd.DataFrame, thresholds: Floats | None = None, *, replicates: int, seed: int
) -> pd.DataFrame:
    """Compute all metrics over all trials in noise, and for each part of them.

    Parameters
    ----------
    trials : DataFrame
        From :func:`decided_runs`, noisy and clean cells.
    thresholds : (runs, blocks * replicates + 1) array, optional
        As for `metrics.evaluate`; more blocks than one are for the `STEADIED`.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        by (all, snr_db, duration_ms, category, cell, bandwidth or clean), level, n, groups, metric,
        value, low, high.
    """
    return _measured(_slices(trials), thresholds, replicates, seed)


def without_flagged(
    trials: pd.DataFrame,
    flagged: pd.Series,
    thresholds: Floats | None = None,
    part: tuple[str, str] = ("hygiene", "unflagged"),
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Compute all metrics over the trials in noise in which no flagged recording is heard.

    Parameters
    ----------
    trials : DataFrame
        From :func:`decided_runs`.
    flagged : Series of bool
        Of each trial, from `flags.involving`.
    thresholds : (runs, replicates + 1) array, optional
        As for `metrics.evaluate`.
    part : tuple of str
        `by` and `level` of the rows.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns of :func:`by_slice`; no row if all are flagged, or none.
    """
    noisy = trials[trials["snr_db"].notna()]
    sound = noisy[~flagged[noisy.index]]
    parts = [(*part, sound)] if 0 < len(sound) < len(noisy) else []
    return _measured(parts, thresholds, replicates, seed)


def each_without_flagged(
    trials: Mapping[str, pd.DataFrame],
    flagged: Mapping[str, pd.Series],
    thresholds: Mapping[str, Floats],
    part: tuple[str, str] = ("hygiene", "unflagged"),
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Return :func:`without_flagged` of each variant, with the column ``variant`` in front.

    Parameters as there, by variant.
    """
    tables = []
    for variant, decided in trials.items():
        of = (decided, flagged[variant], thresholds[variant], part)
        table = without_flagged(*of, replicates=replicates, seed=seed)
        table.insert(0, "variant", variant)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _measured(
    parts: Iterable[tuple[str, str, pd.DataFrame]],
    thresholds: Floats | None,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    tables = []
    for by, level, part in parts:
        blocks = _blocks(thresholds, replicates) if by in STEADIED else 1
        table = evaluate(part, thresholds, replicates=replicates, seed=seed, blocks=blocks)
        table.insert(0, "by", by)
        table.insert(1, "level", level)
        table.insert(2, "n", len(by_run(part)[0]))
        table.insert(3, "groups", part["group_id"].nunique())
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _blocks(thresholds: Floats | None, replicates: int) -> int:
    """Return how many times as many replicates there may be: as there are thresholds for."""
    return 1 if thresholds is None else (thresholds.shape[1] - 1) // replicates


def _slices(trials: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    noisy = trials[trials["snr_db"].notna()]
    yield "all", "", noisy
    for by in ("snr_db", "duration_ms"):
        for level, part in noisy.groupby(by):
            yield by, f"{level:g}", part
    for category, part in noisy.groupby("category"):
        yield "category", str(category), part
    for (snr, duration), part in noisy.groupby(["snr_db", "duration_ms"]):
        yield "cell", cell_name(snr, duration), part  # type: ignore[arg-type]  # numbers
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
