"""MusicCaps: 5,521 descriptions of ten seconds of music on YouTube.

Described by Agostinelli et al. 2023, arXiv:2301.11325. Layout: the publisher gives the table alone,
``musiccaps-public.csv`` (ytid, start_s, end_s, audioset_positive_labels, aspect_list, caption, …).
Clips are one's own: ``<ytid>.wav`` or ``[<ytid>]-[<start>-<end>].wav``, anywhere below the folder;
or whole videos ``<ytid>.wav``. Videos that are gone are missing clips.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from speechdt.audio.region import region
from speechdt.corpus.readers.tree import expect, expect_recordings, recordings, rows
from speechdt.corpus.sources import CorpusError, Source

TABLE = "musiccaps-public.csv"
COLUMNS = ("ytid", "start_s", "end_s", "caption")
HOLDS = ("clips", "videos")
EXPECTED = f"{TABLE} in it, and <ytid>.wav anywhere below"

VOICE = (
    r"(?:vocal\w*|voice\w*|sing|sings|singing|singer\w*|sung|song lyrics|lyric\w*|rap|raps|rapping|"
    r"rapper\w*|choir\w*|choral|chorus|chant\w*|acapella|a capella|hum|hums|humming|yodel\w*|"
    r"scream\w*|shout\w*|speech|speaks?|speaking|spoken|talk\w*|narrat\w*|beatbox\w*|opera\w*|"
    r"whisper\w*|laugh\w*|monologue|dialogue|crowd|audience)"
)
FILLER = r"(?:any|the|of|or|and|male|female|human|lead|main|backing|audible|clear|actual)"
DENIED = re.compile(
    rf"\b(?:no|not|non|without|lacks?|lacking|devoid|absence)\b[\s-]+(?:{FILLER}[\s-]+){{0,4}}{VOICE}\b"
    rf"(?:[\s/-]+(?:{FILLER}[\s-]+)?{VOICE}\b)*"
)
"""A mention of voices that says there are none."""
MENTION = re.compile(rf"\b{VOICE}\b")
VOICE_LABELS = frozenset(
    [
        *("/m/09l8g", "/m/09x0r", "/m/05zppz", "/m/02zsn", "/m/0ytgt", "/m/01h8n0", "/m/02qldy"),
        *("/m/0261r1", "/m/0brhx", "/m/015lz1", "/m/0l14jd", "/m/01swy6", "/m/02bk07"),
        *("/t/dd00003", "/t/dd00004", "/t/dd00005", "/t/dd00006", "/m/06bxc", "/m/02fxyj"),
        *("/m/0y4f8", "/m/0z9c", "/m/02cz_7", "/m/05lls"),
    ]
)
"""AudioSet's classes of speech, singing and vocal music (its ontology.json)."""


def check(path: Path, holds: str = HOLDS[0]) -> None:
    """Refuse a folder without the table.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    if holds not in HOLDS:
        raise CorpusError(f"holds: '{holds}' is none of {', '.join(HOLDS)}")
    expect(path / TABLE, "the publisher's table")
    expect_recordings(path, "…/<ytid>.wav")


def read(path: Path, holds: str = HOLDS[0]) -> Iterator[Source]:
    """List the clips; the group is the video.

    A clip counts as sung if its caption or aspects mention voices without denying them, or if
    AudioSet labels it so.

    Parameters
    ----------
    path : Path
        Folder of the corpus.
    holds : {"clips", "videos"}
        Whether the recordings are the ten seconds, or whole videos that are read from start_s to
        end_s.

    Raises
    ------
    CorpusError
        If the table lacks a column or a time.
    """
    files = recordings(path)
    for row in rows(path / TABLE, COLUMNS):
        video = row["ytid"]
        try:
            start, stop = float(row["start_s"]), float(row["end_s"])
        except ValueError:
            raise CorpusError(f"{path / TABLE}: {video} has no start_s or end_s") from None
        file = files.get(f"[{video}]-[{start:g}-{stop:g}]") or files.get(video)
        reason = "" if file else f"missing, though {TABLE} lists it"
        file = file or str(path / f"{video}.wav")
        yield Source(
            path=region(file, start, stop) if holds == "videos" and not reason else file,
            source_id=f"musiccaps/{video}#t={start:g},{stop:g}",
            label="NONSPEECH",
            category="music",
            group_id=f"youtube/{video}",
            extra={
                "corpus": "musiccaps",
                "vocals": "yes" if sung(row) else "no",
                "licence": "YouTube video; captions CC-BY-SA-4.0",
            },
            reason=reason,
        )


def sung(row: dict[str, str]) -> bool:
    """Say whether a row of the table tells of voices."""
    text = f"{row.get('aspect_list', '')} ; {row['caption']}".lower()
    labels = set(row.get("audioset_positive_labels", "").replace(" ", "").split(","))
    return bool(MENTION.search(DENIED.sub(" ", text)) or labels & VOICE_LABELS)
