"""Rooms: impulse responses, synthetic or measured, and clips in them.

Synthetic responses are those of shoebox rooms, early reflections by the image-source method and the
tail by ray tracing (pyroomacoustics; Scheibler, Bezzam & Dokmanić 2018,
doi:10.1109/ICASSP.2018.8461310). Sabine's formula is 10 to 20 % off in them, so the decay of each
is then brought to the reverberation time that was asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from speechdt.audio.mixing import power
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.audio.unusable import UnusableAudio

NONE = "none"
"""Room that adds no reflection."""
SIZES_M = ((0.5, (5.0, 4.0, 2.7)), (1.5, (8.0, 6.0, 3.0)), (np.inf, (14.0, 10.0, 5.0)))
"""Longest reverberation time, in s, and the length, width and height in m of its room."""
SCATTERING = 0.2
IMAGE_ORDER = 3
RECEIVER_M = 0.5
"""Radius in which rays count as heard."""
DISTANCE_M = (1.0, 2.0)
"""From the source to a receiver."""
EAR_M = 1.5
"""Height of source and receivers."""
DECAY_DB = (-5.0, -25.0)
"""Part of the decay from which the reverberation time is taken (ISO 3382: T20)."""
FIRST_MS = 2.5
"""Time from the strongest arrival on that counts as direct sound."""


class Response(NamedTuple):
    """An impulse response from the arrival of the direct sound on.

    Attributes
    ----------
    name : str
        Where it comes from.
    samples : float64 array, (samples,)
        At 16 kHz.
    rt60_s : float
        Measured on it, by :func:`rt60`.
    """

    name: str
    samples: NDArray[np.float64]
    rt60_s: float


def rt60(response: NDArray[np.floating], rate: int = SAMPLE_RATE) -> float:
    """Return the reverberation time of an impulse response in s.

    Schroeder's backward integral of the squared response (1965, doi:10.1121/1.1909343), a straight
    line through its decay within `DECAY_DB`, and the time in which that line falls by 60 dB. NaN
    where the response does not decay so far.
    """
    energy = np.cumsum(np.square(response, dtype=np.float64)[::-1])[::-1]
    if not energy[0] > 0:
        return float("nan")
    level = 10 * np.log10(np.maximum(energy / energy[0], 1e-30))
    (within,) = np.nonzero((level <= DECAY_DB[0]) & (level >= DECAY_DB[1]))
    if len(within) < 3 or level[-1] > DECAY_DB[1]:
        return float("nan")
    slope = np.polyfit(within / rate, level[within], 1)[0]
    return float(-60 / slope)


def synthetic(rt60_s: float, count: int, seed: int) -> list[Response]:
    """Make impulse responses of a shoebox room with a reverberation time.

    Parameters
    ----------
    rt60_s : float
        In s.
    count : int
        Receivers, around one source at different distances (`DISTANCE_M`).
    seed : int
        Same seed: same responses.
    """
    import pyroomacoustics  # here, since it takes a second

    size = np.array(next(size for longest, size in SIZES_M if rt60_s <= longest))
    rng = np.random.default_rng([seed, round(1000 * rt60_s)])
    absorption, _ = pyroomacoustics.inverse_sabine(rt60_s, size)
    pyroomacoustics.random.seed(int(rng.integers(2**31)))
    room = pyroomacoustics.ShoeBox(
        size,
        fs=SAMPLE_RATE,
        materials=pyroomacoustics.Material(absorption, SCATTERING),
        max_order=IMAGE_ORDER,
        ray_tracing=True,
        air_absorption=False,
    )
    room.set_ray_tracing(receiver_radius=RECEIVER_M)
    source = np.array([0.4 * size[0], 0.45 * size[1], EAR_M])
    room.add_source(source)
    angles, radii = rng.uniform(0, 2 * np.pi, count), rng.uniform(*DISTANCE_M, count)
    around = np.stack([radii * np.cos(angles), radii * np.sin(angles), np.zeros(count)])
    room.add_microphone(source[:, None] + around)
    room.compute_rir()
    responses = []
    for number in range(count):
        samples = with_decay(_from_direct(room.rir[number][0]), rt60_s)
        responses.append(Response(f"synthetic {rt60_s:g} s, {number}", samples, rt60(samples)))
    return responses


def with_decay(response: NDArray[np.float64], rt60_s: float) -> NDArray[np.float64]:
    """Return an impulse response whose decay is made longer or shorter by an exponential."""
    decay = 3 * np.log(10)  # of an amplitude, in one reverberation time
    for _ in range(3):  # the early part does not decay evenly, so once is not quite enough
        rate = decay * (1 / rt60_s - 1 / rt60(response))
        response = response * np.exp(-rate * np.arange(len(response)) / SAMPLE_RATE)
    return response


def measured(folder: Path | str, rt60_s: float, tolerance_s: float) -> list[Response]:
    """Read the measured impulse responses of a folder that have a reverberation time.

    Parameters
    ----------
    folder : path
        As RIRS_NOISES lays them out (openslr.org/28): those of ``real_rirs_isotropic_noises`` but
        the noises; of any other folder all WAV and FLAC files in it. Of several channels the
        first counts.
    rt60_s, tolerance_s : float
        Reverberation time, and by how much it may differ, in s.

    Raises
    ------
    UnusableAudio
        If there is none.
    """
    files = response_files(Path(folder))
    responses = map(_read, files)
    matches = [one for one in responses if abs(one.rt60_s - rt60_s) <= tolerance_s]
    if not matches:
        raise UnusableAudio(
            f"{folder}: none of {len(files)} impulse responses has a reverberation time of "
            f"{rt60_s:g} s (± {tolerance_s:g})"
        )
    return matches


def response_files(folder: Path) -> list[Path]:
    """Return the files of a folder that hold impulse responses, in order; see :func:`measured`."""
    real = [path for path in folder.rglob("real_rirs_isotropic_noises") if path.is_dir()]
    inside = real[0] if real else folder
    files = sorted(path for path in inside.rglob("*") if path.suffix.lower() in (".wav", ".flac"))
    # Responses are called RVB2014_type1_rir_…, RWCP_type2_rir_… or air_type1_air_….
    return [path for path in files if not real or "_noise_" not in path.name.lower()]


def _read(path: Path) -> Response:
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    mono = samples[:, 0]
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="VHQ")
    response = _from_direct(mono) if np.any(mono) else mono
    return Response(path.name, response, rt60(response))


def _from_direct(response: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a response from its strongest arrival on, of unit size there."""
    first = int(np.abs(response).argmax())
    return np.asarray(response[first:] / response[first], dtype=np.float64)


def reverberant(
    target: NDArray[np.floating], response: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return a clip in a room, of the same length and root mean square, float64 (samples,).

    The direct sound stays where it was; of a clip that begins in the middle of a recording nothing
    rings on from before.
    """
    if power(target) == 0:
        return np.asarray(target, dtype=np.float64)
    from scipy.signal import fftconvolve  # a second of every start of the workflow

    convolved = fftconvolve(target.astype(np.float64), response)[: len(target)]
    return np.asarray(convolved * np.sqrt(power(target) / power(convolved)))


def by_name(
    rooms: Sequence[str], path: str | None, *, tolerance_s: float, count: int, seed: int
) -> dict[str, list[Response]]:
    """Return the responses of each room, named by its reverberation time in s.

    Parameters
    ----------
    rooms : sequence of str
        Such as ``0.3``.
    path : str or None
        Folder of measured responses; None for synthetic ones.
    tolerance_s : float
        Of measured ones.
    count, seed : int
        Of synthetic ones.
    """
    if path is None:
        return {name: synthetic(float(name), count, seed) for name in rooms}
    return {name: measured(path, float(name), tolerance_s) for name in rooms}


def read_responses(files: Iterable[Path | str]) -> dict[str, list[NDArray[np.float32]]]:
    """Read responses of rooms by name from ``rooms.npz``: float32 arrays ``{room}/{number}``."""
    responses: dict[str, list[NDArray[np.float32]]] = {}
    for file in files:
        with np.load(file) as arrays:
            for name in arrays.files:  # in the order in which they were written
                responses.setdefault(name.split("/")[0], []).append(arrays[name])
    return responses


def table(rooms: Mapping[str, Sequence[Response]]) -> list[dict[str, object]]:
    """Return a row for each response: room, response, rt60_s, direct_db, seconds.

    direct_db is the power of the direct sound over that of all else.
    """
    first = round(FIRST_MS / 1000 * SAMPLE_RATE)
    return [
        {
            "room": room,
            "response": one.name,
            "rt60_s": one.rt60_s,
            "direct_db": _direct_db(one.samples, first),
            "seconds": len(one.samples) / SAMPLE_RATE,
        }
        for room, responses in rooms.items()
        for one in responses
    ]


def _direct_db(samples: NDArray[np.float64], first: int) -> float:
    early, late = (float(part @ part) for part in (samples[:first], samples[first:]))
    return float(10 * np.log10(early / late)) if late else float("inf")
