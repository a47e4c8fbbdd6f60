"""VoxConverse: conversations from YouTube, with who speaks when (RTTM).

Layout: the annotations of github.com/joonson/voxconverse (``dev/*.rttm``, ``test/*.rttm``, version
0.3) and, anywhere below the same folder, the recordings of voxconverse_dev_wav.zip and
voxconverse_test_wav.zip, which unpack as ``audio/<id>.wav`` and ``voxconverse_test_wav/<id>.wav``.
Fields of RTTM: NIST, The 2009 RT-09 evaluation plan, appendix A.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from speechdt.audio.region import region
from speechdt.corpus.readers.tree import expect_recordings, recordings
from speechdt.corpus.sources import CorpusError, Source, pieces

PARTS = ("dev", "test")
_Turn = tuple[float, float]
EXPECTED = "dev/<id>.rttm, test/<id>.rttm, and <id>.wav anywhere in it"


def check(path: Path, parts: Sequence[str] = PARTS) -> None:
    """Refuse a folder without annotations.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    for name in parts:
        if name not in PARTS:
            raise CorpusError(f"no part '{name}'; parts: {', '.join(PARTS)}")
        if next((path / name).glob("*.rttm"), None) is None:
            raise CorpusError(f"expected annotations {path / name}/<id>.rttm; there are none")
    expect_recordings(path, "…/<id>.wav")


def read(path: Path, parts: Sequence[str] = PARTS) -> Iterator[Source]:
    """List the stretches of speech, each a source; the group is the video.

    Turns of several speakers that overlap or touch are one stretch; long stretches are cut into
    pieces.

    Parameters
    ----------
    path : Path
        Folder of the corpus.
    parts : sequence of {"dev", "test"}
        The publisher's parts; both serve all of our splits.

    Raises
    ------
    CorpusError
        If an annotation cannot be read.
    """
    files = recordings(path)
    annotated = set()
    for name in parts:
        for rttm in sorted((path / name).glob("*.rttm")):
            for video, spoken, unusable in _videos(rttm, files):
                annotated.add(video)
                if unusable:
                    reason = f"{unusable} turns without a usable time in {rttm}"
                    yield _source(str(rttm), name, video, "#unusable-turns", reason)
                if video not in files:
                    missing = str(path / f"{video}.wav")
                    yield _source(missing, name, video, "", f"missing, though {rttm} describes it")
                    continue
                for start, stop in _stretches(spoken):
                    for first, last in pieces(start, stop):
                        piece = region(files[video], first, last)
                        yield _source(piece, name, video, f"#t={first:.3f},{last:.3f}")
    if set(parts) == set(PARTS):
        for video in sorted(files.keys() - annotated):
            yield _source(
                files[video], "none", video, "", "no annotation dev/ or test/ describes it"
            )


class Turns(NamedTuple):
    """Turns of a recording, (start, stop) in seconds as they come; how many have no such time."""

    spoken: list[_Turn]
    unusable: int


def turns(rttm: Path) -> dict[str, Turns]:
    """Return the turns that an RTTM file has of each recording, by the name that it gives these.

    Turns without length are left out; those whose times are negative, infinite or no number are
    counted. Letters may be of any case, decimals have a comma, and the file begin with a mark.

    Raises
    ------
    CorpusError
        Naming the line that is none of RTTM's.
    """
    by_name: dict[str, Turns] = {}
    text = rttm.read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].upper() != "SPEAKER":
            continue
        try:
            start, length = (float(field.replace(",", ".")) for field in (fields[3], fields[4]))
        except (IndexError, ValueError):
            raise CorpusError(
                f"{rttm}, line {number}: expected 'SPEAKER <id> 1 <start> <length> …' in seconds"
            ) from None
        one = by_name.get(fields[1], Turns([], 0))
        if not (isfinite(start) and isfinite(length) and start >= 0 and length >= 0):
            one = one._replace(unusable=one.unusable + 1)
        elif length > 0:
            one.spoken.append((start, start + length))
        by_name[fields[1]] = one
    return by_name


def _videos(rttm: Path, files: Mapping[str, str]) -> Iterator[tuple[str, list[_Turn], int]]:
    """Yield recordings with their turns; the file's own name is the recording's if it has one."""
    of_each = turns(rttm)
    if len(of_each) > 1:
        for video, one in sorted(of_each.items()):
            yield video, *one
        return
    named, one = next(iter(of_each.items()), (rttm.stem, Turns([], 0)))
    yield named if rttm.stem not in files and named in files else rttm.stem, *one


def _stretches(spoken: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Merge turns that overlap or touch."""
    merged: list[tuple[float, float]] = []
    for start, stop in sorted(spoken):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    yield from merged


def _source(path: str, subset: str, video: str, part: str, reason: str = "") -> Source:
    return Source(
        path=path,
        source_id=f"voxconverse/{subset}/{video}{part}",
        label="SPEECH",
        category="speech",
        group_id=f"voxconverse/{video}",
        extra={"corpus": "voxconverse", "licence": "YouTube video; annotations CC-BY-4.0"},
        reason=reason,
    )
