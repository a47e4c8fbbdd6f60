"""Selection of usable recordings: without excluded ones and, if asked, without flagged ones."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from speechdt.corpus.rejections import COLUMNS
from speechdt.errors import SpeechdtError


class ExclusionError(SpeechdtError):
    """A file of marks cannot be used; the message is one line naming it."""


def read_marks(files: Sequence[Path | str], usable: pd.Series) -> dict[str, str]:
    """Read which recordings were marked as bad.

    Parameters
    ----------
    files : sequence of paths
        CSV files with the column ``source_id``, as the inspection page writes them; other columns
        are notes.
    usable : Series of str
        Names of all usable recordings.

    Returns
    -------
    dict of str to str
        File that names it, by source_id.

    Raises
    ------
    ExclusionError
        If a file has no such column, or names a recording that is not there.
    """
    marked: dict[str, str] = {}
    there = set(usable)
    for file in files:
        try:
            table = pd.read_csv(file, dtype=str, keep_default_na=False)
        # What pandas cannot parse, what is empty and what is no text are all ValueErrors.
        except (OSError, ValueError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise ExclusionError(f"exclude: {file} cannot be read: {reason}") from error
        if "source_id" not in table:
            raise ExclusionError(f"exclude: {file} lacks the column source_id")
        for name in table["source_id"]:
            if name not in there:
                raise ExclusionError(
                    f"exclude: {file} names '{name}', which is no usable recording"
                )
            marked.setdefault(name, str(file))
    return marked


def select(
    index: pd.DataFrame,
    marked: dict[str, str],
    flagged: Collection[str] = (),
    flagged_by: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Select the recordings to use.

    Parameters
    ----------
    index : DataFrame
        Usable recordings: path, source_id.
    marked : dict
        From :func:`read_marks`.
    flagged : collection of str
        source_id of what the hygiene check `flagged_by` objects to, if that is to be left out.
    flagged_by : str

    Returns
    -------
    used : DataFrame
        The rows of `index` that stay.
    left_out : DataFrame
        path, source_id, reason.
    """
    reasons = dict.fromkeys(flagged, f"flagged by hygiene check {flagged_by}")
    reasons |= {name: f"marked in {file}" for name, file in marked.items()}
    reason = index["source_id"].map(reasons)
    left_out = index.assign(reason=reason)[reason.notna()]
    return index[reason.isna()].reset_index(drop=True), left_out[COLUMNS]
