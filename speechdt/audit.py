"""Prove on the finished trials that nothing is shared between train, dev and test."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from speechdt.cells import read_cell
from speechdt.errors import SpeechdtError
from speechdt.grid import SPLITS

COLUMNS = {"source": "source_id", "group": "group_id", "audio": "sha256"}
"""What must not be shared, and the column of the sources that holds it."""
KINDS = tuple(COLUMNS)


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
    found = [(split, _contents(path, audio_of)) for split in cells for path in cells[split]]
    found += [
        (str(split), {kind: set(part[column]) for kind, column in COLUMNS.items()})
        for split, part in sources.groupby("split")
    ]
    for split, contents in found:
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
        more = [f"and {len(shared) - 10} more"] if len(shared) > 10 else []
        raise LeakError("; ".join(shared[:10] + more))
    return pd.DataFrame(
        {
            "kind": kind,
            "split": split,
            "distinct": sum(split in splits for splits in splits_of[kind].values()),
        }
        for kind in KINDS
        for split in sorted({split for split, _ in found}, key=SPLITS.index)
    )


def _contents(path: Path | str, audio_of: Mapping[str, str]) -> dict[str, set[str]]:
    trials = read_cell(path)
    sources = {*trials["source_id"], *trials["background_id"]} - {""}
    heard = {hashlib.sha256(clip).hexdigest() for clip in trials["audio"]}
    return {
        "source": sources,
        "group": {*trials["group_id"], *trials["background_group"]} - {""},
        "audio": heard | {audio_of[source] for source in sources if source in audio_of},
    }
