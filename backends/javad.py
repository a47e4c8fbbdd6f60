"""JaVAD (2025): convolutions and attention over a log-mel spectrogram, one value for each 10 ms.

The score is pooled over frames of 25 ms, one every 10 ms. The network takes windows of a fixed
length (0.64, 1.92 or 3.84 s) and its package refuses a shorter clip; here a short one is filled up
as the package fills the end of a long one, with zeros behind its normalised spectrogram, and what
the network says of the filling is not used. Its values are no probabilities (they go from about
−0.5 to 1.5): a logistic of slope 1 takes them to [0, 1], with 0.5 at the threshold of the package.

Package and weights are MIT; the weights, saved by torch, are read with `weights_only`.
https://github.com/skrbnv/javad
"""

from collections.abc import Sequence
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
        """Return what the network says of each frame of each clip, float32 (frames,)."""
        with stage("features"):
            windows = [self._windows(clip) for clip in clips]
        with stage("forward"), self.torch.inference_mode():
            batches = self.torch.cat(windows).split(BATCH) if windows else []
            heard = [self.network(batch[:, None]) for batch in batches]
            ends = np.cumsum([len(own) for own in windows])[:-1]
            said = np.split(self.torch.cat(heard).numpy(), ends) if heard else []
        return [own.ravel()[: len(clip) // HOP] for clip, own in zip(clips, said, strict=True)]

    def _windows(self, clip: np.ndarray) -> "torch.Tensor":
        """Return the normalised log-mel spectrogram in windows, (windows, bands, frames)."""
        require_samples(clip, FRAME)
        samples = self.torch.from_numpy(np.array(clip, dtype=np.float32))
        mel = self.spectrogram(samples, mel_filters=self.filters)
        spread = mel.std()
        mel = (mel - mel.mean()) / (spread if spread > 0 else 1e-6)
        filled = self.torch.nn.functional.pad(mel, (0, -mel.shape[1] % self.window))
        return filled.unfold(1, self.window, self.window).permute(1, 0, 2)


@hookimpl
def detectors():
    """Offer the detector ``javad``."""
    return {"javad": JaVAD}
