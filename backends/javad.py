"""JaVAD (2025): convolutions and attention over a log-mel spectrogram, one value for each 10 ms.

The score is pooled over frames of 25 ms, one every 10 ms. The network takes windows of a fixed
length (0.64, 1.92 or 3.84 s) and its package refuses a shorter clip; here a short one is filled up
as the package fills the end of a long one, with zeros behind its normalised spectrogram, and what
the network says of the filling is not used. The convolutions are given of that filling as much as
they see beside the clip; what they make of the rest, the same for all clips, is computed once. The
values are no probabilities (they go from about −0.5 to 1.5): a logistic of slope 1 takes them to
[0, 1], with 0.5 at the threshold of the package.

Package and weights are MIT; the weights, saved by torch, are read with `weights_only`.
https://github.com/skrbnv/javad
"""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import numpy as np

from speechdt import SAMPLE_RATE, hookimpl, stage
from speechdt.detectors.frame_scores import Pooling, pool_all, require_samples
from speechdt.detectors.packages import loading, package_file

if TYPE_CHECKING:
    import torch

INSTALL = "pip install javad"
FRAME, HOP = 400, 160  # samples
BATCH = 4  # windows: more do not fit into the cache, and take twice as long
STRIDE = {"balanced": 6, "tiny": 2}  # frames of a column of the last convolution, after pooling
REACH = 3  # frames to either side that the first convolution sees
STEEPNESS = 4  # of the logistic: slope 1 in its middle


class JaVAD:
    """Values of the frames, each taken to [0, 1], pooled over the clip.

    Parameters
    ----------
    pooling : {"max", "top3", "mean"}
        See `speechdt.detectors.frame_scores.Pooling`.
    model : {"balanced", "tiny", "precise"}
        Network: windows of 1.92, 0.64 and 3.84 s; the last takes twenty times as long.
    """

    gpus = 0
    shortest_ms = FRAME * 1000 / SAMPLE_RATE
    vendor_threshold = 0.5  # where the logistic has its middle: the threshold of each model

    def __init__(
        self,
        pooling: Pooling = "max",
        model: Literal["balanced", "tiny", "precise"] = "balanced",
    ):
        self.pooling = pooling
        with stage("load"), loading("javad", INSTALL):
            import torch
            from javad import MODELINFO, from_pretrained, load_mel_filters, log_mel_spectrogram

            self.torch, self.spectrogram = torch, log_mel_spectrogram
            settings = MODELINFO[model]
            self.window, self.threshold = settings["output_length"], settings["threshold"]
            self.filters = load_mel_filters(settings["n_mels"])
            self.network = from_pretrained(model)
            self.stride = STRIDE.get(model)
            if self.stride:
                self._know_filling()

    @classmethod
    def check(cls, model: str = "balanced", **options: object) -> None:
        """Refuse a missing package or its weights."""
        package_file("javad", f"assets/{model}.pt", INSTALL)

    def score(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Return P(speech) for each clip, float64 (clips,)."""
        values = self.values(clips)
        with stage("post"):
            logistic = [1 / (1 + np.exp(STEEPNESS * (self.threshold - v))) for v in values]
            return pool_all(logistic, self.pooling)

    def values(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the network's output of each frame of each clip, float32 (frames,)."""
        if not clips:
            return []
        with stage("features"):
            windows = [window for clip in clips for window in self._windows(clip)]
        with stage("forward"), self.torch.inference_mode():
            outputs = np.zeros((len(windows), self.window), dtype=np.float32)
            by_width = sorted(range(len(windows)), key=lambda i: windows[i].shape[1])
            for _, same in groupby(by_width, key=lambda i: windows[i].shape[1]):
                own = list(same)
                for start in range(0, len(own), BATCH):
                    batch = own[start : start + BATCH]
                    inputs = self.torch.stack([windows[i] for i in batch])
                    outputs[batch] = self.network(inputs[:, None]).numpy()
        ends = np.cumsum([-(-(len(clip) // HOP) // self.window) for clip in clips])[:-1]
        return [
            own.ravel()[: len(clip) // HOP]
            for clip, own in zip(clips, np.split(outputs, ends), strict=True)
        ]

    def _know_filling(self) -> None:
        """Keep what the last convolution makes of a window of filling, and put it behind others.

        A column of it covers `stride` frames, and sees its two neighbours and `REACH` frames
        beyond. The last column of a shorter window lacks a neighbour: it is filling as well, and
        taken from there.
        """
        torch, network = self.torch, self.network
        with torch.inference_mode():
            empty = torch.zeros(1, 1, len(self.filters), self.window)
            filling = network.conv3.conv(network.pool(network.conv1(empty)))

        def put_behind(_module: object, _inputs: object, made: "torch.Tensor") -> "torch.Tensor":
            if (columns := made.shape[-1]) == filling.shape[-1]:
                return made
            rest = filling[..., columns - 1 :].expand(len(made), -1, -1, -1)
            return torch.cat([made[..., :-1], rest], dim=-1)

        network.conv3.conv.register_forward_hook(put_behind)

    def _width(self, frames: int) -> int:
        """Return to how many frames a window is filled, of which so many are heard."""
        if not self.stride:
            return self.window
        columns = -(-(frames + REACH) // self.stride) + 1  # those that see one of them
        return min(self.window, self.stride * (columns + 1))

    def _windows(self, clip: np.ndarray) -> "list[torch.Tensor]":
        """Return the normalised log-mel spectrogram in windows, each (bands, frames)."""
        require_samples(clip, FRAME)
        samples = self.torch.from_numpy(np.array(clip, dtype=np.float32))
        mel = self.spectrogram(samples, mel_filters=self.filters)
        spread = mel.std()
        mel = (mel - mel.mean()) / (spread if spread > 0 else 1e-6)
        return [
            self.torch.nn.functional.pad(own, (0, self._width(own.shape[1]) - own.shape[1]))
            for own in mel.split(self.window, dim=1)
        ]


@hookimpl
def detectors():
    """Offer the detector ``javad``."""
    return {"javad": JaVAD}
