"""Leak audit: proof on the finished trials that no split shares audio with another.

Names and exact content are compared by :func:`audit`, on the trials and the recordings behind them;
nearly the same audio is looked for among the recordings by :func:`audit_recordings`.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from speechdt.corpus import labels, near_duplicates
from speechdt.errors import SpeechdtError
from speechdt.trials.cells import read_batches
from speechdt.trials.grid import SPLITS

COLUMNS = {"source": "source_id", "group": "group_id", "audio": "sha256"}
"""What must not be shared, and the column of the sources that holds it."""
KINDS = tuple(COLUMNS)
MOST_NAMED = 10
"""Leaks that an error names."""


class LeakError(SpeechdtError):
    """Something is in two splits; the message names what and where, a line for each."""


def audit(cells: Mapping[str, Iterable[Path | str]], sources: pd.DataFrame) -> pd.DataFrame:
    """Look for sources, groups and audio that stand in more than one split.

    Targets and backgrounds count alike. Audio is compared by content: that of the trials, and that
    of the recordings behind them.

    Parameters
    ----------
    cells : mapping of str to paths
        Cell files of each split.
    sources : DataFrame
        Every recording: source_id, group_id, split, sha256 of its audio. Those of train count
        whether its trials are rendered or not.

    Returns
    -------
    DataFrame
        kind, split, distinct: how many distinct sources, groups and audios were compared.

    Raises
    ------
    LeakError
        If any is shared.
    """
    splits_of: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in KINDS}
    audio_of = dict(zip(sources["source_id"], sources["sha256"], strict=True))
    inventory = [(split, _contents(path, audio_of)) for split in cells for path in cells[split]]
    inventory += [
        (str(split), {kind: set(part[column]) for kind, column in COLUMNS.items()})
        for split, part in sources.groupby("split")
    ]
    for split, contents in inventory:
        for kind, names in contents.items():
            for name in names:
                splits_of[kind][name].add(split)
    shared = [
        f"{kind} {name} is in {' and '.join(sorted(splits))}"
        for kind in KINDS
        for name, splits in sorted(splits_of[kind].items())
        if len(splits) > 1
    ]
    if shared:
        raise LeakError(_listed(shared))
    return pd.DataFrame(
        {
            "kind": kind,
            "split": split,
            "distinct": sum(split in splits for splits in splits_of[kind].values()),
        }
        for kind in KINDS
        for split in sorted({split for split, _ in inventory}, key=SPLITS.index)
    )


def audit_recordings(
    prints: Path | str, sources: pd.DataFrame, log: logging.Logger, workers: int = 1
) -> pd.DataFrame:
    """Look for recordings that are nearly the same audio in different splits, or under two labels.

    Parameters
    ----------
    prints : path
        From `twins.write_fingerprints`.
    sources : DataFrame
        source_id, path, split, label.
    log : Logger
        Gets all pairs; the error names the first ten.
    workers : int
        Processes that compare.

    Returns
    -------
    DataFrame
        kind, split, distinct: how many recordings were compared.

    Raises
    ------
    labels.TwoLabels, LeakError
        If there are any, with the pairs.
    """
    duplicates = near_duplicates.find(prints, sources, workers, apart=("split", "label"))
    if len(duplicates):
        log.error("nearly the same audio:\n%s", duplicates.to_string(index=False))
        contradictory = duplicates[duplicates["label"] != duplicates["other_label"]]
        named = contradictory[["one", "label", "other", "other_label"]]
        labels.refuse(named.itertuples(index=False, name=None))
        pairs = [
            f"{row.one} ({row.split}) and {row.other} ({row.other_split})"
            for row in duplicates.itertuples()
        ]
        raise LeakError(
            f"nearly the same audio in two splits: {_listed(pairs)}; give both recordings one "
            "group_id, or name one of them in a file under exclude"
        )
    counts = sources["split"].value_counts()
    return pd.DataFrame(
        {"kind": "recording", "split": split, "distinct": int(counts[split])}
        for split in sorted(counts.index, key=SPLITS.index)
    )


def _listed(names: list[str]) -> str:
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return "; ".join(names[:MOST_NAMED] + more)


def _contents(path: Path | str, audio_of: Mapping[str, str]) -> dict[str, set[str]]:
    contents: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for trials in read_batches(path):
        contents["source"] |= {*trials["source_id"], *trials["background_id"]} - {""}
        contents["group"] |= {*trials["group_id"], *trials["background_group"]} - {""}
        contents["audio"] |= {hashlib.sha256(clip).hexdigest() for clip in trials["audio"]}
    contents["audio"] |= {audio_of[name] for name in contents["source"] if name in audio_of}
    return contents
