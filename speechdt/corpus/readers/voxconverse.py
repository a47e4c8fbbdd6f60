"""VoxConverse: conversations from YouTube, with who speaks when (RTTM).

Layout: the annotations of github.com/joonson/voxconverse (``dev/*.rttm``, ``test/*.rttm``, version
0.3) and, anywhere below the same folder, the recordings of voxconverse_dev_wav.zip and
voxconverse_test_wav.zip, which unpack as ``audio/<id>.wav`` and ``voxconverse_test_wav/<id>.wav``.
Fields of RTTM: NIST, The 2009 RT-09 evaluation plan, appendix A.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from speechdt.corpus.readers.tree import expect_recordings, recordings
from speechdt.audio.region import region
from speechdt.corpus.sources import CorpusError, Source, pieces

PARTS = ("dev", "test")
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
    found = recordings(path)
    annotated = set()
    for name in parts:
        for rttm in sorted((path / name).glob("*.rttm")):
            video = rttm.stem
            annotated.add(video)
            if video not in found:
                missing = str(path / f"{video}.wav")
                yield _source(missing, name, video, "", f"missing, though {rttm} describes it")
                continue
            for start, stop in _stretches(turns(rttm)):
                for first, last in pieces(start, stop):
                    piece = region(found[video], first, last)
                    yield _source(piece, name, video, f"#t={first:.3f},{last:.3f}")
    if set(parts) == set(PARTS):
        for video in sorted(found.keys() - annotated):
            yield _source(
                found[video], "none", video, "", "no annotation dev/ or test/ describes it"
            )


def turns(rttm: Path) -> list[tuple[float, float]]:
    """Return the turns of an RTTM file, (start, stop) in seconds, as they come.

    Turns without length are left out.

    Raises
    ------
    CorpusError
        Naming the line that is none of RTTM's.
    """
    found = []
    for number, line in enumerate(rttm.read_text(errors="replace").splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith(";") or fields[0] != "SPEAKER":
            continue
        try:
            start, length = float(fields[3]), float(fields[4])
        except (IndexError, ValueError):
            raise CorpusError(
                f"{rttm}, line {number}: expected 'SPEAKER <id> 1 <start> <length> …' in seconds"
            ) from None
        if start >= 0 and length > 0:
            found.append((start, start + length))
    return found


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
