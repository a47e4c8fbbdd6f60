"""FMA: music of the Free Music Archive (Defferrard et al. 2017, arXiv:1612.01840).

Layout: github.com/mdeff/fma, ``fma_metadata/tracks.csv`` from fma_metadata.zip (two header rows,
then one that names the index) and ``fma_<subset>/<first three digits>/<track in six digits>.mp3``
from fma_<subset>.zip. Some clips are short or hold no audio, since the archive told a wrong length
(six in ``small``: 98565, 98567, 98569, and 99134, 108925, 133297 without any; issues 8 and 44
there).
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from speechdt.corpus.readers.tree import artist_group, expect, expect_recordings
from speechdt.corpus.sources import CorpusError, Source

SUBSETS = ("small", "medium", "large", "full")
"""Each holds the ones before it."""
INSTRUMENTAL, SPOKEN = 1235, 20
"""Genres, by their number in genres.csv."""
COLUMNS = {
    "subset": ("set", "subset"),
    "genre": ("track", "genre_top"),
    "genres": ("track", "genres_all"),
    "artist": ("artist", "name"),
    "artist_id": ("artist", "id"),
    "licence": ("track", "license"),
}
EXPECTED = "fma_metadata/tracks.csv and fma_small/<3 digits>/<6 digits>.mp3 in it"


def check(path: Path, subset: str = "small") -> None:
    """Refuse a folder without the table or the subset's clips.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    if subset not in SUBSETS:
        raise CorpusError(f"no subset '{subset}'; subsets: {', '.join(SUBSETS)}")
    expect(path / "fma_metadata" / "tracks.csv", "the table from fma_metadata.zip")
    expect_recordings(path / f"fma_{subset}", "<3 digits>/<6 digits>.mp3")


def read(path: Path, subset: str = "small") -> Iterator[Source]:
    """List the tracks of a subset; the group is the artist.

    Tracks of genre Instrumental are known to be without singing, of others it is not known. Tracks
    of genre Spoken are left out: they are speech.

    Parameters
    ----------
    path : Path
        Folder of the corpus.
    subset : {"small", "medium", "large", "full"}

    Raises
    ------
    CorpusError
        If the table cannot be read.
    """
    wanted = SUBSETS[: SUBSETS.index(subset) + 1] if subset != "full" else (*SUBSETS, "")
    for track, row in _tracks(path / "fma_metadata" / "tracks.csv"):
        if row["subset"] in wanted:
            yield _source(path / f"fma_{subset}", track, row)


def _source(folder: Path, track: int, row: dict[str, str]) -> Source:
    genres = _numbers(row["genres"])
    instrumental = INSTRUMENTAL in genres or row["genre"] == "Instrumental"
    group = artist_group(row["artist"])
    if group == artist_group("") and row["artist_id"]:
        group = f"fma/artist/{row['artist_id']}"
    return Source(
        path=str(folder / f"{track:06d}"[:3] / f"{track:06d}.mp3"),
        source_id=f"fma/{track:06d}",
        label="NONSPEECH",
        category="music",
        group_id=group if group != artist_group("") else "",
        extra={
            "corpus": "fma",
            "genre": row["genre"],
            "artist": row["artist"],
            "vocals": "no" if instrumental else "unknown",
            "licence": row["licence"],
        },
        reason="genre Spoken: speech" if SPOKEN in genres or row["genre"] == "Spoken" else "",
    )


def _numbers(text: str) -> set[int]:
    try:
        return set(json.loads(text or "[]"))
    except (ValueError, TypeError):
        return set()


def _tracks(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the tracks and the columns of `COLUMNS`."""
    csv.field_size_limit(sys.maxsize)  # biographies of artists are long
    with table.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream)
        header = list(zip(next(reader, []), next(reader, []), strict=False))
        places = {}
        for name, column in COLUMNS.items():
            if column not in header:
                raise CorpusError(
                    f"{table} lacks the column {'/'.join(column)} in its first two rows"
                )
            places[name] = header.index(column)
        for row in reader:
            if row and row[0].isdigit():
                cells = {n: row[place] if place < len(row) else "" for n, place in places.items()}
                yield int(row[0]), cells
