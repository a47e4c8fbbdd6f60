"""Packed batches: the tokens of all clips in a row, without padding between them.

All but attention looks at one token at a time, and takes a row of tokens as it takes a padded
batch. For attention each clip's tokens are laid out behind the text that all clips share; padding
is behind them, where causal attention never sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from .collate import IGNORED, Collator
from .examples import Example

ROWS = 128
"""Rows are filled up to a multiple of this: few shapes, and whole tiles of matrix products."""
PLACES = 8
"""Places of a clip's layout are filled up to a multiple of this, for attention's kernels."""


@dataclass(frozen=True)
class Extent:
    """Sizes that hold for any batch of some clips.

    Attributes
    ----------
    frames : int
        Mel frames of the longest clip, without the edge.
    width : int
        With the edge.
    tokens : int
        Most tokens of a clip, those of the shared text among them.
    """

    frames: int
    width: int
    tokens: int


class Packer:
    """Lays clips out for :class:`PackedModel`.

    Parameters
    ----------
    collate : Collator
        Says which tokens a clip has and which are supervised.
    share : bool
        Compute the text before the audio once for all clips, where all have the same; never where
        it is supervised.
    """

    def __init__(self, collate: Collator, share: bool):
        self.collate = collate
        before = {question.before for question in collate.questions}
        alike = len(before) == 1 and collate.loss != "sequence"
        self.shared: tuple[int, ...] = before.pop() if share and alike else ()

    def extent(self, clips: Sequence[Example]) -> Extent:
        """Return sizes that any batch of these clips fits into."""
        longest = max(clips, key=lambda clip: clip.frames)
        tokens = max(
            len(self.collate.sequence(longest, prompt)[0]) - 1
            for prompt in range(len(self.collate.questions))
        )
        return Extent(longest.frames, max(clip.mel.shape[-1] for clip in clips), tokens)

    def __call__(
        self, drawn: Sequence[tuple[Example, int]], extent: Extent | None = None
    ) -> dict[str, Any]:
        """Return a batch of clips and the prompts that they are asked.

        Parameters
        ----------
        drawn : sequence of (Example, int)
        extent : Extent or None
            None: as these clips need.

        Returns
        -------
        dict
            mel, (clips, mel bins, frames); frames, (clips,), each clip's own; ids, (rows,);
            audio_source, (rows,), place in the tower's flattened output of a row that is audio,
            else -1; turns, (rows,), position for the rotation; laid, (clips, places), the row at
            each place; own, (clips x places, 1), whether a row is that place's alone; packed,
            (rows,), the place of each row; places and targets, rows that are supervised and what
            they predict; labels, which the Trainer counts; longest, frames of the longest clip;
            shared, how many rows at the front stand in every clip.
        """
        clips = [clip for clip, _ in drawn]
        extent = self.extent(clips) if extent is None else extent
        sequences = [self.collate.sequence(clip, prompt) for clip, prompt in drawn]
        starts = [len(self.collate.questions[prompt].before) for _, prompt in drawn]
        mels = [F.pad(clip.mel, (0, extent.width - clip.mel.shape[-1])) for clip in clips]
        rows = self._rows(clips, sequences, starts, self.collate.tokens(extent.frames))
        return {
            "mel": torch.stack(mels),
            "frames": torch.tensor([clip.frames for clip in clips]),
            **rows,
            **self._layout([len(ids) - 1 for ids, _ in sequences], extent.tokens),
            "longest": extent.frames,
            "shared": len(self.shared),
        }

    def _rows(
        self,
        clips: Sequence[Example],
        sequences: Sequence[tuple[list[int], list[int]]],
        starts: Sequence[int],
        audio: int,
    ) -> dict[str, torch.Tensor]:
        """Return what each row is, and what it predicts; `audio`: tokens that the tower gives."""
        shared = len(self.shared)
        ids, audio_source, turns = list(self.shared), [-1] * shared, list(range(shared))
        targets: list[int] = [IGNORED] * shared
        for place, ((own, labels), start) in enumerate(zip(sequences, starts, strict=True)):
            count = self.collate.tokens(clips[place].frames)
            source = [-1] * (len(own) - 1)
            source[start : start + count] = range(place * audio, place * audio + count)
            ids += own[shared:-1]
            audio_source += source[shared:]
            turns += range(shared, len(own) - 1)
            targets += labels[shared + 1 :]
        filled = -len(ids) % ROWS
        supervised = [row for row, target in enumerate(targets) if target != IGNORED]
        most = len(ids) + filled if self.collate.loss == "sequence" else len(supervised)
        spare = most - len(supervised)
        predicted = [targets[row] for row in supervised] + [IGNORED] * spare
        return {
            "ids": torch.tensor(ids + [0] * filled),
            "audio_source": torch.tensor(audio_source + [-1] * filled),
            "turns": torch.tensor(turns + [0] * filled),
            "places": torch.tensor(supervised + [0] * spare),
            "targets": torch.tensor(predicted),
            "labels": torch.tensor([[IGNORED, *predicted]]),
        }

    def _layout(self, lengths: Sequence[int], longest: int) -> dict[str, torch.Tensor]:
        """Return which row stands at each place, and the place of each row."""
        shared = len(self.shared)
        # At least one place stays empty: rows that fill up point to it.
        width = -(-(longest + 1) // PLACES) * PLACES
        laid = torch.zeros(len(lengths), width, dtype=torch.long)
        own = torch.zeros(len(lengths), width, dtype=torch.bool)
        rows = shared + sum(length - shared for length in lengths)
        packed = torch.full((-(-rows // ROWS) * ROWS,), width - 1)
        laid[:, :shared] = torch.arange(shared)
        own[0, :shared] = True
        packed[:shared] = torch.arange(shared)
        row = shared
        for clip, length in enumerate(lengths):
            end = row + length - shared
            laid[clip, shared:length] = torch.arange(row, end)
            own[clip, shared:length] = True
            packed[row:end] = clip * width + torch.arange(shared, length)
            row = end
        return {"laid": laid, "own": own.flatten()[:, None], "packed": packed}
