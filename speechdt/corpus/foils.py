"""Foils: sounds of people that are no speech, such as laughing and singing; in neither class.

They are in no accuracy. What a detector says of them is a rate of false alarms by kind, beside the
matrix. A corpus gives them by the extra column ``foil`` (the kind), which keeps a recording out of
both classes; ESC-50's human sounds have it, and what is said to hold singing.
"""

from collections.abc import Iterable

import pandas as pd

from speechdt.corpus.sources import Source

COLUMN, LABEL = "foil", "FOIL"
SINGING = "singing"
STAND_IN = ("NONSPEECH", "environment")
"""Label and category under which a foil is measured, since recordings need one."""


def foil_of(source: Source) -> str:
    """Return the kind of foil that a recording is, '' if it is none."""
    kind = source.extra.get(COLUMN, "").strip().lower()
    sung = source.extra.get("vocals") == "yes" and source.label == "NONSPEECH"
    return kind or (SINGING if sung and source.reason else "")


def left_out(source: Source) -> Source:
    """Return a recording that is in neither class if its corpus calls it a foil."""
    kind = source.extra.get(COLUMN, "").strip().lower()
    if source.reason or not kind:
        return source
    return source._replace(reason=f"a foil ({kind}): in neither class (docs/conditions.md)")


def foils(sources: Iterable[Source]) -> list[Source]:
    """Return the foils among listed recordings, to be measured as any other."""
    label, category = STAND_IN
    return [
        source._replace(
            label=label, category=category, reason="", extra=source.extra | {COLUMN: kind}
        )
        for source in sources
        if (kind := foil_of(source))
    ]


def heard_in_test_alone(index: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Return the foils of which neither train nor dev holds the group or the audio.

    Parameters
    ----------
    index : DataFrame
        Of foils, from `index.index`.
    sources : DataFrame
        Of both classes, with their split: group_id, sha256, split.
    """
    learned = sources[sources["split"] != "test"]
    shared = index["group_id"].isin(learned["group_id"]) | index["sha256"].isin(learned["sha256"])
    return index[~shared].assign(label=LABEL, category=index.loc[~shared, COLUMN])
