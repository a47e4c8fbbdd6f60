"""Label audit: recordings whose label all detectors contradict where hearing is easiest.

Nobody can listen to a whole corpus. A recording that every ready-made detector takes for the other
class, in all its trials at the highest SNR and without noise, is worth an ear: its label may be
wrong, or it is what all of them fail at. Nothing is removed by that; a person marks what is bad.
"""

from collections.abc import Mapping

import pandas as pd

LISTED = ("source_id", "label", "category", "group_id", "split", "trials", "doubt", "path")
"""Columns of the listening list."""
CONFIRMED = 2
"""How many detectors must agree: what one gets wrong says more about the detector."""


def contradicted(decided: Mapping[str, pd.DataFrame], sources: pd.DataFrame) -> pd.DataFrame:
    """List the recordings that all detectors contradict in the easiest trials.

    Parameters
    ----------
    decided : mapping of str to DataFrame
        By detector, its trials of dev and test: trial_id, source_id, label, speech (bool), snr_db
        (NaN without noise), decided (bool), p_platt.
    sources : DataFrame
        ``corpus/sources.parquet``.

    Returns
    -------
    DataFrame
        `LISTED`: trials is how many were heard, doubt the mean calibrated probability of the other
        class, by which the list descends. Empty with fewer than `CONFIRMED` detectors.
    """
    votes = [_votes(trials) for trials in decided.values()] if len(decided) >= CONFIRMED else []
    if not votes:
        return pd.DataFrame(columns=list(LISTED))
    every = pd.concat(votes)
    # All detectors heard the same trials, so that each counts alike.
    recordings = every.groupby("source_id").agg(
        wrong=("wrong", "all"),
        trials=("trial_id", "nunique"),
        noiseless=("clean", "any"),
        noisy=("clean", lambda clean: not clean.all()),
        doubt=("doubt", "mean"),
    )
    recordings = recordings[recordings["wrong"] & recordings["noiseless"] & recordings["noisy"]]
    metadata = sources.drop_duplicates("source_id").set_index("source_id")
    listed = (
        recordings.join(metadata)
        .reset_index()
        .sort_values(["doubt", "source_id"], ascending=[False, True])
    )
    return listed.reindex(columns=list(LISTED)).reset_index(drop=True)


def _votes(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the easiest trials of a detector: those at the highest SNR, and the clean ones."""
    easiest = trials[trials["snr_db"].isna() | (trials["snr_db"] == trials["snr_db"].max())]
    return pd.DataFrame(
        {
            "source_id": easiest["source_id"],
            "trial_id": easiest["trial_id"],
            "clean": easiest["snr_db"].isna(),
            "wrong": easiest["decided"] != easiest["speech"],
            "doubt": (easiest["p_platt"] - easiest["speech"]).abs(),
        }
    )
