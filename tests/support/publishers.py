"""Small trees in the layouts of the publishers, with the irregularities that each corpus has.

The audio is that of the embedded corpus, each recording used once. Every function cites the listing
that it follows.
"""

import csv
from collections import defaultdict
from itertools import zip_longest

import numpy as np
import pandas as pd
import soundfile
import soxr

RATE = 16_000


class Sounds:
    """Hands out recordings of the embedded corpus, each once, first one of every family."""

    def __init__(self, root):
        self._folder = root / "corpus"
        table = pd.read_csv(self._folder / "manifest.csv")
        self._waiting = {}
        for category, members in table[table["seconds"] >= 1.5].groupby("category"):
            families = [list(group["path"]) for _, group in members.groupby("group_id")]
            self._waiting[category] = [
                path for turn in zip_longest(*families) for path in turn if path
            ]

    def take(self, category, rate=RATE):
        samples, _ = soundfile.read(self._folder / self._waiting[category].pop(0))
        samples = 0.5 * samples / np.abs(samples).max()
        return samples if rate == RATE else soxr.resample(samples, RATE, rate)


def save(path, samples, rate=RATE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)


def save_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def voxconverse(folder, sounds, videos=6):
    """Write VoxConverse: github.com/joonson/voxconverse (dev/, test/) and its two archives.

    Turns overlap, touch, have no length and go beyond the end; one annotation has no recording
    (videos are taken down) and one recording no annotation.
    """
    wavs = {"dev": folder / "audio", "test": folder / "voxconverse_test_wav"}
    for part in wavs:
        for number in range(videos):
            name = f"{part[0]}vid{'abcdefghijkl'[number]}"
            one, two, three = (sounds.take("speech") for _ in range(3))
            pause = 1e-4 * np.random.default_rng(number).standard_normal(RATE)
            save(wavs[part] / f"{name}.wav", np.concatenate([pause, one, two, pause, three]))
            first, second = 1 + len(one) / RATE, 1 + (len(one) + len(two)) / RATE
            turns = [
                (1.0, len(one) / RATE, "spk00"),
                (first - 0.2, len(two) / RATE + 0.2, "spk01"),
                (1.1, 0.4, "spk01"),
                (2.0, 0.0, "spk01"),
                (second + 1, len(three) / RATE + (5 if number == 0 else 0), "spk00"),
            ]
            rttm(folder / part / f"{name}.rttm", name, turns)
    rttm(folder / "dev" / "goner.rttm", "goner", [(0.4, 6.64, "spk00")])
    save(folder / "audio" / "stray.wav", sounds.take("speech"))
    (folder / "README.md").write_text("## VoxConverse speaker diarisation dataset\n")


def rttm(path, name, turns):
    """Write turns as in github.com/joonson/voxconverse/blob/master/dev/abjxc.rttm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(
            f"SPEAKER {name} 1 {start:.6f} {length:.6f} <NA> <NA> {who} <NA> <NA>\n"
            for start, length, who in turns
        )
    )


ESC50 = {"dog": 0, "rooster": 1, "chirping_birds": 14, "rain": 10, "door_wood_knock": 30}


def esc50(folder, sounds, clips=12):
    """Write ESC-50: github.com/karolpiczak/ESC-50, README.md and meta/esc50.csv.

    Clips that are shorter than five seconds are padded with zeros; two fragments (takes A and B)
    come from one Freesound recording; one clip is missing.
    """
    rows = [["filename", "fold", "target", "category", "esc10", "src_file", "take"]]

    def clip(number, target, kind, sound, take="A"):
        name = f"1-{number}-{take}-{target}.wav"
        rows.append([name, 1, target, kind, kind == "dog", number, take])
        if sound is not None:
            padded = np.zeros(5 * 44_100)
            part = soxr.resample(sound, RATE, 44_100)[: len(padded)]
            padded[: len(part)] = part
            save(folder / "audio" / name, padded, 44_100)

    for number in range(clips):
        kind = ("dog", "rooster", "chirping_birds")[number % 3]
        clip(100_000 + number, ESC50[kind], kind, sounds.take("animals"))
        kind = ("rain", "door_wood_knock")[number % 2]
        clip(200_000 + number, ESC50[kind], kind, sounds.take("environment"))
    clip(100_000, 0, "dog", sounds.take("animals"), take="B")
    clip(300_000, 26, "laughing", sounds.take("speech"))
    clip(300_001, 24, "coughing", sounds.take("speech"))
    clip(400_000, 10, "rain", None)
    save_rows(folder / "meta" / "esc50.csv", rows)
    (folder / "meta" / "esc50-human.xlsx").write_bytes(b"PK")
    (folder / "LICENSE").write_text("CC BY-NC\n")


GENRES = [
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
]


def gtzan(folder, sounds, original=True, index=False, each=1):
    """Write GTZAN: ``genres/`` of AU files as published, or the copy with WAV files.

    jazz.00054.wav of the copy cannot be read; jazz.00034 repeats jazz.00033 (Sturm 2013,
    arXiv:1306.1461, table 2); macOS leaves ``._`` files. Index: ``file ::: artist ::: title``.
    """
    top, suffix = ("genres", ".au") if original else ("genres_original", ".wav")
    artists = ["# artist and title of each excerpt"]
    for genre in GENRES:
        for number in range(each if genre not in ("classical", "jazz") else 2 * each):
            save(folder / top / genre / f"{genre}.{number:05d}{suffix}",
                 sounds.take("music", 22_050), 22_050)  # fmt: skip
            artists.append(
                f"{genre}.{number:05d}.wav ::: The {genre.title()} Trio ::: Song {number}"
            )
    twin = sounds.take("music", 22_050)
    for number in (33, 34):
        save(folder / top / "jazz" / f"jazz.{number:05d}{suffix}", twin, 22_050)
    (folder / top / "jazz" / f"jazz.00054{suffix}").write_bytes(b"\x00\x05" * 400)
    (folder / top / "jazz" / f"._jazz.00000{suffix}").write_bytes(b"\x00\x05\x16\x07")
    if index:
        (folder / "GTZANindex.txt").write_text("\n".join(artists) + "\n")


def fma(folder, sounds, tracks=10):
    """Write FMA: github.com/mdeff/fma, README.md and creation.py (paths), issues 8 and 44.

    tracks.csv has two header rows and one that names the index, texts of several lines, and gaps.
    133297.mp3 holds no audio, 098567.mp3 half a second.
    """
    header = [
        ["", "album", *["artist"] * 3, *["set"] * 2, *["track"] * 4],
        [
            *("", "title", "bio", "id", "name", "split", "subset"),
            *("genre_top", "genres_all", "license", "title"),
        ],
        ["track_id", *[""] * 10],
    ]
    rows = []

    def track(number, artist, genre, genres, subset="small", sound=True, seconds=None):
        biography = f'<p>Born, and "raised",\nin {number}</p>'
        rows.append([number, "Album", biography, 1000 + number if artist else 77, artist,
                     "training", subset, genre, genres, "CC BY-NC", f"Track {number}"])  # fmt: skip
        if sound:
            mono = sounds.take("music", 44_100)[: seconds and int(seconds * 44_100)]
            name = f"{number:06d}"
            file = folder / "fma_small" / name[:3] / f"{name}.mp3"
            save(file, np.stack([mono, 0.8 * mono], axis=1), 44_100, format="MP3")

    for number in range(tracks):
        track(2 + 700 * number, f"Artist No. {number // 2}", "Instrumental", "[1235]")
    track(5, "AWOL", "Hip-Hop", "[21]")
    track(20_000, "Artist No. 1", "Electronic", "[15, 1235]")
    track(20_001, "Reader", "", "[20, 65]")
    track(20_002, "", "", "")
    track(20_003, "Larger", "Instrumental", "[1235]", subset="medium", sound=False)
    track(98_567, "Short", "Instrumental", "[1235]", seconds=0.15)
    track(133_297, "Broken", "Instrumental", "[1235]", sound=False)
    broken = folder / "fma_small" / "133" / "133297.mp3"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_bytes(b"ID3\x04" + bytes(1748))
    save_rows(folder / "fma_metadata" / "tracks.csv", header + rows)
    (folder / "fma_small" / "checksums").write_text("")


CAPTIONS = {
    "A solo piano plays a slow melody. There are no vocals.": "no",
    "An acoustic guitar duet with no male or female voice in it.": "no",
    "This instrumental jazz piece has a saxophone lead.": "no",
    "The track features synths and drums without any singing voice.": "no",
    "A female vocalist sings over a mellow guitar.": "yes",
    "No drums are heard; a man raps in Spanish.": "yes",
    "A gospel choir with organ.": "yes",
}


def musiccaps(folder, sounds, clips=10):
    """Write MusicCaps: the columns of musiccaps-public.csv (arXiv:2301.11325), clips as downloaded.

    Some ids begin with a dash; two videos are gone; one clip is labelled Singing by AudioSet alone.
    """
    rows: list[list[object]] = [
        [
            *("ytid", "start_s", "end_s", "audioset_positive_labels", "aspect_list", "caption"),
            *("author_id", "is_balanced_subset", "is_audioset_eval"),
        ]
    ]

    def clip(video, start, caption, labels="/m/04rlf", name="{0}", sound=True):
        rows.append(
            [video, start, start + 10, labels, "['slow', 'mellow']", caption, 4, False, True]
        )
        if sound:
            file = folder / "clips" / (name.format(video, start, start + 10) + ".wav")
            save(file, sounds.take("music", 48_000), 48_000)

    quiet = [caption for caption, sung in CAPTIONS.items() if sung == "no"]
    for number in range(clips):
        name = "{0}" if number % 2 else "[{0}]-[{1}-{2}]"
        clip(f"-v{number:09d}", 10 * number, quiet[number % len(quiet)], name=name)
    for number, caption in enumerate(c for c, sung in CAPTIONS.items() if sung == "yes"):
        clip(f"sung{number:07d}", 30, caption)
    clip("labelled_00", 30, quiet[2], labels="/m/04rlf,/m/015lz1")
    clip("goneforever", 30, quiet[0], sound=False)
    clip("gone_sooner", 0, quiet[1], sound=False)
    save_rows(folder / "musiccaps-public.csv", rows)


def musan(folder, sounds, noises=14, speakers=4, songs=4):
    """Write MUSAN: openslr.org/17 and arXiv:1510.08484; fields of ANNOTATIONS as Kaldi reads them.

    One song is sung, one not annotated, one annotated and missing; a noise lasts 0.03 s, another is
    so long that it is read in pieces; ANNOTATIONS of the noises is a list with a heading.
    """
    notes = defaultdict(list)

    def recording(part, origin, number, samples, note=None):
        name = f"{part}-{origin}-{number:04d}"
        if note is not None:
            notes[part, origin].append(f"{name} {note}".strip())
        if samples is not None:
            save(folder / part / origin / f"{name}.wav", samples)

    for number in range(songs):
        recording("music", "fma", number, sounds.take("music"), f"rock,folk N Band_{number // 2}")
    recording("music", "fma", 90, sounds.take("music"), "pop Y Singer")
    recording("music", "fma", 91, None, "pop N Nobody")
    recording("music", "jamendo", 0, sounds.take("music"))
    for number in range(speakers):
        both = np.concatenate([sounds.take("speech"), sounds.take("speech")])
        recording("speech", "librivox", number, both, "f german" if number % 2 else "m english")
    recording("speech", "us-gov", 0, sounds.take("speech"))
    for number in range(noises):
        note = "" if number < 2 else None
        recording("noise", "free-sound", number, sounds.take("noise"), note)
    notes["noise", "free-sound"].insert(0, "The following are background noises:")
    recording("noise", "sound-bible", 0, np.resize(sounds.take("noise"), 40 * RATE))
    recording("noise", "sound-bible", 1, sounds.take("noise")[: int(0.03 * RATE)])
    for (part, origin), lines in notes.items():
        (folder / part / origin / "ANNOTATIONS").write_text("\n".join(lines) + "\n")
        (folder / part / origin / "LICENSE").write_text("CC BY 3.0\n")
    (folder / "README").write_text("MUSAN\n")


def rirs_noises(folder, *, rt60s):
    """Write RIRS_NOISES: openslr.org/28, measured responses of three databases among noises.

    Responses have two channels and a late arrival, at another rate.
    """
    rng = np.random.default_rng(3)
    measured = folder / "RIRS_NOISES" / "real_rirs_isotropic_noises"
    names = ("RVB2014_type1_rir_largeroom1_far_angla", "air_type1_air_binaural_lecture_0_1",
             "RWCP_type1_rir_cirline_e1b_imp075")  # fmt: skip
    for name, rt60_s in zip(names, rt60s, strict=False):
        late = np.concatenate([np.zeros(300), decaying(rt60_s, rng, rate=44_100)])
        two = np.stack([late, 0.1 * late], axis=1)
        save(measured / f"{name}.wav", two, 44_100, subtype="FLOAT")
    save(measured / "RVB2014_type1_noise_largeroom1_1.wav", rng.normal(size=4000) * 0.1)
    (measured / "rir_list").write_text("--rir-id 00001 --room-id 001 largeroom1.wav\n")
    simulated = folder / "RIRS_NOISES" / "simulated_rirs" / "smallroom" / "Room001"
    save(simulated / "Room001-00001.wav", decaying(0.3, rng))
    noises = folder / "RIRS_NOISES" / "pointsource_noises"
    save(noises / "noise-free-sound-0000.wav", rng.normal(size=4000) * 0.1)
    return folder


def decaying(rt60_s, rng, rate=RATE):
    """Return noise that falls by 60 dB in a time, behind a strong first sample."""
    time = np.arange(round(1.2 * rt60_s * rate)) / rate
    response = rng.normal(size=len(time)) * 10 ** (-3 * time / rt60_s) * 0.05
    response[0] = 1.0
    return response
