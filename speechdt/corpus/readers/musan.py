"""MUSAN: music, speech and noise (Snyder, Chen & Povey 2015, arXiv:1510.08484).

Layout: openslr.org/17, ``<part>/<origin>/<part>-<origin>-<number>.wav`` for the parts music, speech
and noise. ``music/<origin>/ANNOTATIONS`` says of each recording: name, genres, singing (Y or N),
artist; that of speech/librivox: name, gender, language.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import soundfile

from speechdt.audio.region import region
from speechdt.corpus.readers.tree import artist_group, expect_recordings, is_recording
from speechdt.corpus.sources import CorpusError, Source, pieces
from speechdt.files import walk

PARTS = ("music", "speech", "noise")
ANNOTATIONS = "ANNOTATIONS"
EXPECTED = "music/, speech/ and noise/ with <origin>/*.wav in it"
SINGING = {"Y": "yes", "N": "no"}


def check(path: Path, parts: Sequence[str] = PARTS) -> None:
    """Refuse a folder without a part that is asked for.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    for part in parts:
        if part not in PARTS:
            raise CorpusError(f"no part '{part}'; parts: {', '.join(PARTS)}")
        expect_recordings(path / part, "<origin>/*.wav")


def read(path: Path, parts: Sequence[str] = PARTS) -> Iterator[Source]:
    """List the recordings, long ones in pieces; the group is the artist, else the recording.

    Parameters
    ----------
    path : Path
        Folder of the corpus.
    parts : sequence of {"music", "speech", "noise"}
    """
    for part in parts:
        for origin in sorted(folder for folder in (path / part).iterdir() if folder.is_dir()):
            annotations = _annotations(origin / ANNOTATIONS)
            files = sorted(Path(entry.path) for entry in walk(origin) if is_recording(entry))
            for file in files:
                yield from _sources(file, part, annotations.pop(file.stem, []))
            for name, fields in sorted(annotations.items()):
                note = f"missing, though {origin / ANNOTATIONS} lists it"
                yield _source(str(origin / f"{name}.wav"), name, part, fields)._replace(reason=note)


def _sources(file: Path, part: str, fields: list[str]) -> Iterator[Source]:
    """Yield the pieces of a recording."""
    whole = _source(str(file), file.stem, part, fields)
    parts = list(pieces(0.0, _seconds(file)))
    if len(parts) == 1:
        yield whole
        return
    for start, stop in parts:
        piece = region(str(file), start, stop)
        yield whole._replace(path=piece, source_id=f"{whole.source_id}#t={start:.3f},{stop:.3f}")


def _source(path: str, name: str, part: str, fields: list[str]) -> Source:
    extra = {"corpus": "musan"}
    group = f"musan/{name}"
    if part == "music":
        genre, singing, artist = (*fields[:3], "", "", "")[:3]
        extra |= {"genre": genre, "artist": artist, "vocals": SINGING.get(singing, "unknown")}
        if any(sign.isalnum() for sign in artist):
            group = artist_group(artist)
    elif part == "speech" and len(fields) >= 2:
        extra |= {"gender": fields[0], "language": fields[1]}
    return Source(
        path=path,
        source_id=f"musan/{name}",
        label="SPEECH" if part == "speech" else "NONSPEECH",
        category=part,
        group_id=group,
        extra=extra,
    )


def _annotations(file: Path) -> dict[str, list[str]]:
    """Return the fields after the name, by recording; lines that name none are passed over."""
    if not file.exists():
        return {}
    lines = (line.split() for line in file.read_text(errors="replace").splitlines())
    return {fields[0]: fields[1:] for fields in lines if fields and fields[0].count("-") >= 2}


def _seconds(file: Path) -> float:
    """Return the length of a recording, 0 if it cannot be opened, which is found out later."""
    try:
        return float(soundfile.info(file).duration)
    except (soundfile.LibsndfileError, RuntimeError):
        return 0.0
