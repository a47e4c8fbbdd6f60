"""SpecAugment on the clip's own frames (Park et al., 2019, arXiv 1904.08779)."""

import torch
from torch import Tensor


class SpecAugment:
    """Masks one band of frequencies and one stretch of time, by chance.

    Parameters
    ----------
    frequency_mask : int
        Most mel bins that are masked.
    time_mask : float
        Most of a clip's frames that are masked, as a share.
    probability : float
        Share of the clips that are masked.
    """

    def __init__(self, frequency_mask: int = 10, time_mask: float = 0.05, probability: float = 0.5):
        # Imported here: where torchaudio cannot be imported, all else still works.
        from torchaudio.transforms import FrequencyMasking, TimeMasking

        self._frequency = FrequencyMasking(frequency_mask)
        self._time_masking = TimeMasking
        self.time_mask, self.probability = time_mask, probability

    def __call__(self, mel: Tensor, frames: int, seed: int) -> Tensor:
        """Mask a clip.

        Parameters
        ----------
        mel : float32 tensor, (mel bins, frames and what lies beyond the clip)
        frames : int
            The clip's own frames.
        seed : int
            Decides the masks: the same for the same draw, whatever ran before.

        Returns
        -------
        float32 tensor, shape of `mel`
            0 where it is masked, as torchaudio and the plan do it.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if torch.rand(()).item() >= self.probability:
                return mel
            own = self._frequency(mel[None, :, :frames])
            longest = int(frames * self.time_mask)
            if longest:
                own = self._time_masking(longest)(own)
        return torch.cat([own[0], mel[:, frames:]], dim=-1)
