"""Log-mel features on a clip's own length, equal to those of the clip padded to 30 s.

Padding adds frames and changes none that a clip's tokens can see: frames beyond the end are the
constant floor, and the clamp to 8 decades below the loudest bin only needs the loudest bin. So a
200 ms clip takes 24 frames instead of 3000.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from .transfer import on_device

FLOOR = 1e-10
"""Least power before the logarithm."""
DECADES = 8.0
"""Dynamic range kept below the loudest bin, in powers of ten."""


class LogMel:
    """Whisper's log-mel spectrogram, for a batch of clips, on the device.

    Parameters
    ----------
    extractor : transformers.WhisperFeatureExtractor
        The checkpoint's own; its filters, window and hop are used.
    device : torch.device
    tail : {"silence", "mirror"}
        What the last window sees beyond the end of the clip: zeros, where the stock processor pads
        to 30 s, or the mirrored end of the clip, where it does not pad.
    edge : int
        Frames computed beyond the clip's own with ``silence``, for the convolutions to see.

    Attributes
    ----------
    least_samples, most_samples : int
        Shortest and longest clip.
    """

    def __init__(
        self,
        extractor: Any,
        device: torch.device,
        tail: Literal["silence", "mirror"],
        edge: int = 0,
    ):
        self.window_length, self.hop = extractor.n_fft, extractor.hop_length
        self.tail, self.edge = tail, edge
        self.device = device
        self.margin = self.window_length // 2
        self.least_samples = self.margin + 1
        self.most_samples = extractor.n_samples
        self.most_frames = extractor.n_samples // self.hop
        self.window = torch.hann_window(self.window_length, device=device)
        self.filters = torch.from_numpy(extractor.mel_filters).to(device, torch.float32)

    def frames(self, samples: int) -> int:
        """Return how many frames of a clip of that length the model hears."""
        return samples // self.hop if self.tail == "mirror" else -(-samples // self.hop)

    def width(self, samples: int) -> int:
        """Return how many frames are computed for a clip of that length."""
        return min(self.frames(samples) + self.edge, self.most_frames)

    def padded(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Lay out clips for the windows of the longest one.

        Parameters
        ----------
        clips : sequence of float32 arrays, each (samples,)

        Returns
        -------
        float32 array, (clips, padded samples)
            Each clip behind its mirrored beginning, as a centred transform wants it.
        """
        width = max(self.width(len(clip)) for clip in clips)
        waves = np.zeros(
            (len(clips), (width - 1) * self.hop + self.window_length), dtype=np.float32
        )
        for wave, clip in zip(waves, clips, strict=True):
            signal = clip if self.tail == "mirror" else self._within_30_s(clip)
            extended = np.concatenate(
                [signal[self.margin : 0 : -1], signal, signal[-2 : -self.margin - 2 : -1]]
                if self.tail == "mirror" or len(signal) == self.most_samples
                else [signal[self.margin : 0 : -1], signal]
            )[: len(wave)]
            wave[: len(extended)] = extended
        return waves

    def _within_30_s(self, clip: np.ndarray) -> np.ndarray:
        # Only the last window of a full 30 s reaches the end of the padded clip, and its mirror.
        if len(clip) <= self.most_samples - self.margin:
            return clip
        return np.pad(clip, (0, self.most_samples - len(clip)))

    def __call__(self, waves: Tensor, frames: Sequence[int]) -> Tensor:
        """Compute the features.

        Parameters
        ----------
        waves : float32 tensor, (clips, padded samples)
            From :meth:`padded`, on the device.
        frames : sequence of int, (clips,)
            Each clip's own frames.

        Returns
        -------
        float32 tensor, (clips, mel bins, frames of the longest)
            With ``mirror``, frames beyond a clip's own are 0, as the stock processor pads them.
        """
        windows = waves.unfold(-1, self.window_length, self.hop) * self.window
        spectrum = torch.fft.rfft(windows)
        power = spectrum.real.square() + spectrum.imag.square()
        decades = (power @ self.filters).clamp(min=FLOOR).log10()
        beyond = None
        if self.tail == "mirror" and min(frames) < decades.shape[1]:
            own = on_device(frames, decades.device)
            beyond = torch.arange(decades.shape[1], device=decades.device) >= own[:, None]
            decades = decades.masked_fill(beyond[..., None], -np.inf)
        loudest = decades.amax(dim=(1, 2), keepdim=True)
        features = (torch.maximum(decades, loudest - DECADES) + 4.0) / 4.0
        if beyond is not None:
            features = features.masked_fill(beyond[..., None], 0.0)
        return features.transpose(1, 2)
