"""ESC-50: 2,000 environmental sounds of five seconds, from Freesound.

Layout: github.com/karolpiczak/ESC-50, ``meta/esc50.csv`` (filename, fold, target, category,
esc10, src_file, take) and ``audio/*.wav``. Clips with the same ``src_file`` are fragments of one
recording.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from speechdt.corpus.readers.tree import expect, expect_recordings, rows
from speechdt.corpus.sources import CorpusError, Source

ANIMALS = (
    *("dog", "rooster", "pig", "cow", "frog", "cat", "hen", "insects", "sheep", "crow"),
    *("crickets", "chirping_birds"),
)
HUMAN = (
    *("crying_baby", "sneezing", "clapping", "breathing", "coughing", "footsteps", "laughing"),
    *("brushing_teeth", "snoring", "drinking_sipping"),
)
"""Sounds of people that are no speech: in neither class, unless asked for."""
ENVIRONMENT = (
    *("rain", "sea_waves", "crackling_fire", "water_drops", "wind", "pouring_water"),
    *("toilet_flush", "thunderstorm", "door_wood_knock", "mouse_click", "keyboard_typing"),
    *("door_wood_creaks", "can_opening", "washing_machine", "vacuum_cleaner", "clock_alarm"),
    *("clock_tick", "glass_breaking", "helicopter", "chainsaw", "siren", "car_horn", "engine"),
    *("train", "church_bells", "airplane", "fireworks", "hand_saw"),
)
EXPECTED = "meta/esc50.csv and audio/*.wav in it"
COLUMNS = ("filename", "category", "src_file")


def check(path: Path, human: Sequence[str] = ()) -> None:
    """Refuse a folder without the table and the audio.

    Raises
    ------
    CorpusError
        Saying what was expected where.
    """
    expect(path / "meta" / "esc50.csv", "the table of ESC-50's clips")
    expect_recordings(path / "audio", "*.wav")
    for name in human:
        if name not in HUMAN:
            raise CorpusError(f"no human sound '{name}'; human: {', '.join(HUMAN)}")


def read(path: Path, human: Sequence[str] = ()) -> Iterator[Source]:
    """List the clips; the group is the Freesound recording they were cut from.

    Parameters
    ----------
    path : Path
        Folder of the corpus.
    human : sequence of str
        Those of `HUMAN` that are taken as environment.

    Raises
    ------
    CorpusError
        If the table lacks a column.
    """
    for row in rows(path / "meta" / "esc50.csv", COLUMNS):
        kind = row["category"]
        left_out = kind in HUMAN and kind not in human
        yield Source(
            path=str(path / "audio" / row["filename"]),
            source_id=f"esc50/{row['filename']}",
            label="NONSPEECH",
            category=_category(kind),
            group_id=f"freesound/{row['src_file']}" if row["src_file"] else "",
            extra={
                "corpus": "esc50",
                "sound": kind,
                **({"foil": kind} if left_out else {}),
                "licence": "CC-BY" if row.get("esc10") == "True" else "CC-BY-NC-3.0",
            },
            reason=f"human sound '{kind}' (the corpus option 'human' takes it)" if left_out else "",
        )


def _category(kind: str) -> str:
    if kind in ANIMALS:
        return "animals"
    return "environment" if kind in ENVIRONMENT or kind in HUMAN else kind
