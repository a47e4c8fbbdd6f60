"""Decisions of detectors on trials, from scores and calibration."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from speechdt.detectors.answer_files import AnswerFileError, by_run, by_run_and_cell, scores_of_run
from speechdt.detectors.scoring import read_scored
from speechdt.statistics.calibration import Calibration
from speechdt.statistics.criterion import Thresholds, of_runs

Paths = Iterable[Path | str]


def read_calibration(path: Path | str) -> Calibration:
    """Read ``calibration/{run}.json``."""
    return Calibration.from_dict(json.loads(Path(path).read_text()))


def thresholds_by(
    runs: Mapping[str, Sequence[str]], thresholds: Paths, *, replicates: int, further: bool = False
) -> dict[str, Thresholds]:
    """Return the decision thresholds of each variant's runs, in each replicate.

    Parameters
    ----------
    runs : mapping
        Runs of each variant.
    thresholds : iterable of paths
        ``calibration/{run}.thresholds.parquet``, in any order.
    replicates : int
        Of the bootstrap that they are for.
    further : bool
        As many times as many as are kept, for bounds that few replicates carry.

    Raises
    ------
    AnswerFileError
        If those of a run are missing, or are of another number of replicates.
    """
    files = by_run(thresholds)

    def read(run: str) -> pd.DataFrame:
        if run not in files:
            raise AnswerFileError(f"no thresholds of run {run}")
        table = pd.read_parquet(files[run])
        kept = len(table) - 1
        if not kept or kept % replicates:
            raise AnswerFileError(f"{files[run]} has {kept} replicates, no blocks of {replicates}")
        return table if further else table.head(replicates + 1)

    return {variant: of_runs([read(run) for run in own]) for variant, own in runs.items()}


def decided_trials(
    files: Iterable[tuple[Path, Path]],
    calibration: Calibration,
    sources: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Join trials with their scores and what the calibration makes of them.

    Parameters
    ----------
    files : iterable of (path, path)
        Cell files, each with its scores.
    calibration : Calibration
    sources : DataFrame, optional
        The corpus, for the bandwidth of the targets if it knows that.

    Returns
    -------
    DataFrame
        Columns of a cell file without audio; speech (bool), p_speech, p_temperature, p_platt,
        decided and decided_far10 (bool); bandwidth_hz, if known.
    """
    trials = read_scored(files)
    if sources is not None and "bandwidth_hz" in sources:
        bandwidths = sources.drop_duplicates("source_id").set_index("source_id")["bandwidth_hz"]
        trials["bandwidth_hz"] = pd.to_numeric(trials["source_id"].map(bandwidths), errors="coerce")
    p = trials["p_speech"]
    return trials.assign(
        speech=trials["label"] == "SPEECH",
        p_temperature=calibration.tempered(p),
        p_platt=calibration.platt(p),
        decided=calibration.decide(p),
        decided_far10=p >= calibration.threshold_far10,
    )


def decided_runs(
    runs: Sequence[str],
    cells: Paths,
    scores: Paths,
    calibrations: Paths,
    sources: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return :func:`decided_trials` of several runs on the same cells, with the column ``run``.

    Parameters
    ----------
    runs : sequence of str
        The column holds the place of a run among these.
    cells, scores, calibrations : iterables of paths
        In any order; more scores and calibrations than those of `runs` are passed over.
    sources : DataFrame, optional
        As for :func:`decided_trials`.
    """
    return decided_by({"": runs}, cells, scores, calibrations, sources)[""]


def decided_by(
    runs: Mapping[str, Sequence[str]],
    cells: Paths,
    scores: Paths,
    calibrations: Paths,
    sources: pd.DataFrame | None = None,
    scores_of: Mapping[str, str] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return :func:`decided_runs` of each variant, on the same cells.

    Parameters
    ----------
    runs : mapping
        Runs of each variant.
    cells, scores, calibrations : iterables of paths
        In any order.
    sources : DataFrame, optional
        As for :func:`decided_trials`.
    scores_of : mapping, optional
        Run whose scores a run has, if not its own.

    Raises
    ------
    AnswerFileError
        If scores or a calibration are missing.
    ScoreError
        If scores are of other trials than the cell's.
    """
    cells, of_cell, learned = list(cells), by_run_and_cell(scores), by_run(calibrations)
    whose = scores_of or {}

    def decided(run: str) -> pd.DataFrame:
        if run not in learned:
            raise AnswerFileError(f"no calibration of run {run}")
        files = scores_of_run(whose.get(run, run), cells, of_cell)
        return decided_trials(files, read_calibration(learned[run]), sources)

    return {
        variant: pd.concat(
            [decided(run).assign(run=place) for place, run in enumerate(own)], ignore_index=True
        )
        for variant, own in runs.items()
    }
