"""Training batches: clips, the question and answer around them, and the supervised positions."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from ..question import Question
from .examples import Example

IGNORED = -100
"""Label of a position that is not supervised, as everywhere in transformers."""


class Collator:
    """Lays clips out for :class:`AnswerModel`.

    Padding is on the right, where causal attention never sees it: no mask is needed.

    Parameters
    ----------
    questions : sequence of Question
        Tokens around the audio, for each prompt.
    answers : tuple of int
        Ids of the answer tokens.
    audio_token : int
        Id that stands for the audio.
    end_of_turn : int
        Id that ends the assistant's turn.
    tokens : callable
        Audio tokens of so many frames.
    loss : {"answer", "assistant", "sequence"}
        What is supervised.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        answers: tuple[int, int],
        audio_token: int,
        end_of_turn: int,
        tokens: Callable[[int], int],
        loss: str,
    ):
        self.questions, self.answers = questions, answers
        self.audio_token, self.end_of_turn = audio_token, end_of_turn
        self.tokens, self.loss = tokens, loss

    def sequence(self, clip: Example, prompt: int) -> tuple[list[int], list[int]]:
        """Return all token ids of a clip, and the label of each (`IGNORED`, or the id itself)."""
        question = self.questions[prompt]
        audio = [self.audio_token] * self.tokens(clip.frames)
        text = [*question.before, *audio, *question.after]
        completion = [self.answers[clip.answer]]
        if self.loss != "answer":
            completion.append(self.end_of_turn)
        ids = text + completion
        if self.loss == "sequence":
            return ids, [IGNORED, *ids[1:]]  # nothing comes before the first
        return ids, [IGNORED] * len(text) + completion

    def __call__(self, drawn: Sequence[tuple[Example, int]]) -> dict[str, Any]:
        """Return a batch.

        Returns
        -------
        dict
            mel, (clips, mel bins, frames of the longest and the edge); frames, list of int; ids,
            (clips, tokens - 1), without the last token, which predicts nothing; labels, (clips,
            tokens), the Trainer counts what is supervised by them; audio_places and audio_source,
            where audio tokens stand in the flattened `ids` and in the flattened output of the
            tower; places and targets, flat positions of `ids` that are supervised, and the token
            that each has to predict.
        """
        clips = [clip for clip, _ in drawn]
        sequences = [self.sequence(clip, prompt) for clip, prompt in drawn]
        longest = max(len(ids) for ids, _ in sequences)
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in sequences])
        labels = torch.tensor(
            [labels + [IGNORED] * (longest - len(labels)) for _, labels in sequences]
        )
        mels = [clip.mel for clip in clips]
        width = max(mel.shape[-1] for mel in mels)
        counts = torch.tensor([self.tokens(clip.frames) for clip in clips])
        starts = torch.tensor([len(self.questions[prompt].before) for _, prompt in drawn])
        place = torch.arange(int(counts.max()))
        valid = place < counts[:, None]
        row = torch.arange(len(clips))[:, None]
        targets = labels[:, 1:]
        places = (targets != IGNORED).flatten().nonzero()[:, 0]
        return {
            "mel": torch.stack([F.pad(mel, (0, width - mel.shape[-1])) for mel in mels]),
            "frames": [clip.frames for clip in clips],
            "ids": ids[:, :-1],
            "labels": labels,
            "audio_places": (row * (longest - 1) + starts[:, None] + place)[valid],
            "audio_source": (row * len(place) + place)[valid],
            "places": places,
            "targets": targets.flatten()[places],
        }  # fmt: skip
