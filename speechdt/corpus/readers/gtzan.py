"""GTZAN: 1,000 excerpts of music in ten genres.

Described by Tzanetakis & Cook 2002, doi:10.1109/TSA.2002.800560. Layout:
``genres/<genre>/<genre>.<number>.au`` as in the publisher's genres.tar.gz, or
``genres_original/<genre>/<genre>.<number>.wav`` as in the copy that is passed around today, where
jazz.00054.wav is broken. Which excerpts repeat others or are distorted: Sturm 2013, The GTZAN
dataset: its contents, its faults (arXiv:1306.1461). His list of artists, GTZANindex.txt (``file :::
artist ::: title``), is used if it lies in the folder.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from speechdt.corpus.readers.tree import artist_group, is_recording
from speechdt.corpus.sources import CorpusError, Source
from speechdt.files import walk

GENRES = (
    *("blues", "classical", "country", "disco", "hiphop"),
    *("jazz", "metal", "pop", "reggae", "rock"),
)
FAULTY = {
    "classical": (42,),
    "country": (8, 52),
    "disco": (38, 50, 51, 55, 60, 71, 98),
    "hiphop": (1, 39, 46, 47, 48, 49, 50, 76),
    "jazz": (33, 34, 35, 36, 37, 38, 39, 40, 42, 43, 44, 45, 46),
    "metal": (4, 34, 40, 41, 42, 43, 44, 45, 58),
    "pop": (15, 21, 22, 30, 37, 45, 47, 48, 51, 52, 54, 56, 57, 67, 68, 87),
    "reggae": (3, 5, 7, 8, 10, 13, 33, 41, 73, 75, 80, 81, 86, 91),
}
"""Repeated and distorted excerpts: those that the fault-filtered partition leaves out (Kereliuk,
Sturm & Larsen 2015, Deep learning and music adversaries, doi:10.1109/TMM.2015.2478068)."""
INDEX = "GTZANindex.txt"
EXPECTED = "genres/<genre>/<genre>.<number>.au (or genres_original/…wav) in it"
NAME = re.compile(rf"({'|'.join(GENRES)})\.(\d{{5}})")


def check(path: Path, genres: Sequence[str] = GENRES) -> None:
    """Refuse a folder without the genres.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    for genre in genres:
        if genre not in GENRES:
            raise CorpusError(f"no genre '{genre}'; genres: {', '.join(GENRES)}")
    _folder(path, genres)


def read(path: Path, genres: Sequence[str] = GENRES) -> Iterator[Source]:
    """List the excerpts, known faults left out.

    The group is the artist where `INDEX` names one, otherwise the whole genre: excerpts of one
    artist are many, and nothing else tells which they are. Whether there is singing in an excerpt
    is known of none.

    Parameters
    ----------
    path : Path
        Folder of the corpus.
    genres : sequence of str
        Those of `GENRES` that are taken.
    """
    artists = _artists(path / INDEX)
    folder = _folder(path, genres)
    for genre in genres:
        for entry in sorted(walk(folder / genre), key=lambda entry: entry.name):
            if is_recording(entry):
                name = Path(entry.name).stem
                yield _source(entry.path, name, genre, artists.get(name, ""))


def _source(path: str, name: str, genre: str, artist: str) -> Source:
    named = NAME.fullmatch(name)
    reason = "" if named else "no excerpt of GTZAN by its name"
    if named and int(named[2]) in FAULTY.get(named[1], ()):
        reason = "repeats another excerpt or is distorted (arXiv:1306.1461)"
    return Source(
        path=path,
        source_id=f"gtzan/{name}",
        label="NONSPEECH",
        category="music",
        group_id=artist_group(artist) if artist else f"gtzan/{genre}",
        extra={"corpus": "gtzan", "genre": genre, "artist": artist, "vocals": "unknown"},
        reason=reason,
    )


def _folder(path: Path, genres: Sequence[str]) -> Path:
    """Return the folder that holds a folder for each genre."""
    for folder in (path / "genres", path / "genres_original", path):
        if all((folder / genre).is_dir() for genre in genres):
            return folder
    raise CorpusError(f"expected a folder {path / 'genres'}/<genre> for {', '.join(genres)}")


def _artists(index: Path) -> dict[str, str]:
    """Return the artists by excerpt, as far as the index names them."""
    if not index.exists():
        return {}
    artists = {}
    for line in index.read_text(errors="replace").splitlines():
        fields = [field.strip() for field in line.split(":::")]
        if len(fields) == 3 and fields[1] not in ("", "?"):
            artists[Path(fields[0]).stem] = fields[1]
    return artists
