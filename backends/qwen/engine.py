"""Batches from clips and questions to log-odds: bucketed by length, sized to fit the memory."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from speechdt import stage

from .asked_together import AskedTogether
from .decoder import Decoder, Past
from .fused import attention_kernels
from .graphs import GraphCache
from .kept_audio import KeptAudio, key_of, padded_left
from .mel import LogMel
from .question import Question
from .transfer import on_device

TOKENS_A_BATCH = {"cuda": 8192, "cpu": 4096}
"""Tokens of one batch: more are hardly faster, and take memory."""
STRETCH = 1.25
"""Longest clip of a batch over its shortest: what padding may cost."""
QUESTIONS_KEPT = 256

Clips = Sequence[NDArray[np.float32]]


class Engine:
    """Answers questions about clips with one forward pass for each clip and question.

    Parameters
    ----------
    mel : LogMel
    tower : Tower of the architecture
    decoder : Decoder
    batch_size : int or None
        Clips of a batch; None takes what fills the device, halved when memory runs out.

    Attributes
    ----------
    graphs : GraphCache
        Of single clips on one GPU.
    kept : KeptAudio
        What was heard, to be asked about in later calls; keeps nothing until it has a budget.
    tower_passes : int
        Clips that went through the audio tower.
    """

    def __init__(self, mel: LogMel, tower: Any, decoder: Decoder, batch_size: int | None):
        self.mel, self.tower, self.decoder = mel, tower, decoder
        self.device = decoder.device
        self.batch_size = batch_size
        self.tokens = TOKENS_A_BATCH[self.device.type]
        one_gpu = {layer.device for layer in decoder.layers} == {self.device}
        # bitsandbytes' kernels look at what they multiply, which a graph cannot.
        plain = all(layer.qkv is not None for layer in decoder.layers)
        self.graphs = GraphCache(enabled=self.device.type == "cuda" and one_gpu and plain)
        self.kept = KeptAudio()
        self.tower_passes = 0
        self._pasts: dict[tuple[int, ...], Past | None] = {}
        self._afters: dict[tuple[int, ...], Tensor] = {}
        self._together: AskedTogether | None = None

    def answer_mass(self, clips: Clips, question: Question) -> NDArray[np.float64]:
        """Return the probability that both answers have together, (clips,).

        From a softmax over the whole vocabulary.
        """
        with self.decoder.whole_vocabulary():
            first, second, total = np.moveaxis(self.answer_logits(clips, [question])[0], -1, 0)
        return np.exp(np.logaddexp(first, second) - total)

    @torch.inference_mode()
    def answer_logits(self, clips: Clips, questions: Sequence[Question]) -> NDArray[np.float64]:
        """Return the logits of the two answers.

        Each clip is encoded once for all questions.

        Parameters
        ----------
        clips : sequence of float32 arrays, each (samples,)
        questions : sequence of Question

        Returns
        -------
        float64 array, (questions, clips, 2)
            Of the decoder's ``whole_vocabulary``, 3 columns.

        Raises
        ------
        ValueError
            If a clip is no mono clip, or too short or long; if a logit is not finite.
        """
        clips = [self._checked(i, clip) for i, clip in enumerate(clips)]
        logits = np.empty((len(questions), len(clips), 3 if self.decoder.whole else 2))
        with attention_kernels(self.device):
            answers = self._answers(clips, questions)
        with stage("post"):
            for bucket, answer in answers:
                logits[:, bucket] = answer.double().cpu().numpy()
        if not np.isfinite(logits).all():
            _, first, _ = np.argwhere(~np.isfinite(logits))[0]
            raise ValueError(f"the answer to clip {first} is not finite")
        return logits

    def _answers(
        self, clips: Clips, questions: Sequence[Question]
    ) -> list[tuple[list[int], Tensor]]:
        """Return buckets of clips, and the logits of each, (questions, clips, 2), on the device.

        They are fetched at the end: the device goes on while the next bucket is laid out.
        """
        audio = self._kept_or_heard(clips) if self.kept.budget else None

        def answer(bucket: list[int]) -> Tensor:
            own = None if audio is None else [audio[i] for i in bucket]
            return self._answer([clips[i] for i in bucket], questions, own)

        buckets = list(self._buckets(clips, partial(self._most, questions)) if questions else ())
        return [(bucket, torch.cat(self._halving(bucket, answer), dim=1)) for bucket in buckets]

    def _checked(self, i: int, clip: NDArray[np.float32]) -> NDArray[np.float32]:
        clip = np.asarray(clip, dtype=np.float32)
        if clip.ndim != 1:
            raise ValueError(f"clip {i} has shape {clip.shape}, and must be mono: (samples,)")
        if len(clip) > self.mel.most_samples:
            raise ValueError(
                f"clip {i} has {len(clip)} samples, and at most {self.mel.most_samples} are taken"
            )
        long_enough = len(clip) >= self.mel.least_samples
        if not long_enough or self.tower.tokens(self.mel.frames(len(clip))) < 1:
            raise ValueError(f"clip {i} has {len(clip)} samples: too short for an audio token")
        return clip

    def _buckets(self, clips: Clips, most: Callable[[int], int]) -> Iterator[list[int]]:
        """Yield the clips of each batch, of about the same length, shortest first.

        `most` gives, from the audio tokens of a clip, how many such clips make a batch.
        """
        bucket: list[int] = []
        for i in sorted(range(len(clips)), key=lambda i: len(clips[i])):
            if bucket:
                audio = self.tower.tokens(self.mel.frames(len(clips[i])))
                full = len(bucket) >= (self.batch_size or most(audio))
                if full or len(clips[i]) > STRETCH * len(clips[bucket[0]]):
                    yield bucket
                    bucket = []
            bucket.append(i)
        if bucket:
            yield bucket

    def _most(self, questions: Sequence[Question], audio: int) -> int:
        """Return how many clips of so many audio tokens make a batch that is asked questions."""
        if len(questions) == 1:
            text = len(questions[0].after)
        else:
            text = max(len(asked.tree.ids) for asked in self._as_trees(questions).trees)
        return max(1, self.tokens // (text + audio))

    def _halving(self, bucket: list[int], compute: Callable[[list[int]], Tensor]) -> list[Tensor]:
        """Compute a bucket, in halves if memory runs out; what fits is remembered."""
        computed = _unless_out_of_memory(
            lambda: compute(bucket), len(bucket) > 1 or self.kept.size > 0
        )
        if computed is not None:
            return [computed]
        if self.kept.size:  # the first to make room
            self.kept.forget()
            parts = [bucket]
        else:
            half = len(bucket) // 2
            self.batch_size = min(self.batch_size or half, max(half, 1))
            parts = [bucket[:half], bucket[half:]]
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return [tensor for part in parts for tensor in self._halving(part, compute)]

    def _answer(
        self, clips: Clips, questions: Sequence[Question], kept: Sequence[Tensor] | None
    ) -> Tensor:
        """Answer one batch, (questions, clips, 2), whose audio may have been encoded before."""
        # A single clip's kernels depend on its length and on nothing else.
        alone = len(clips) == 1 and not self.decoder.whole
        graphs = self.graphs if alone else GraphCache(enabled=False)
        frames = [self.mel.frames(len(clip)) for clip in clips]
        tokens = [self.tower.tokens(count) for count in frames]
        audio = self._audio(graphs, clips, frames, tokens) if kept is None else padded_left(kept)
        with stage("forward"):
            if len(questions) > 1 and not graphs.enabled:
                return self._asked_together(audio, tokens, questions)
            asked = [self._asked(graphs, audio, tokens, question) for question in questions]
            return torch.stack(asked)

    def _kept_or_heard(self, clips: Clips) -> list[Tensor]:
        """Return the embeddings of each clip, (its tokens, width), and keep what has room.

        Its batches are of audio alone: how a clip is encoded hangs on no question.
        """
        keys = [key_of(clip) for clip in clips]
        embeddings = self.kept.find(keys)
        new = [i for i, own in enumerate(embeddings) if own is None]
        tokens = {i: self.tower.tokens(self.mel.frames(len(clips[i]))) for i in new}

        def hear(bucket: list[int]) -> Tensor:
            own, counts = [clips[i] for i in bucket], [tokens[i] for i in bucket]
            graphs = self.graphs if len(bucket) == 1 else GraphCache(enabled=False)
            return self._audio(graphs, own, [self.mel.frames(len(clip)) for clip in own], counts)

        for part in self._buckets([clips[i] for i in new], lambda audio: self.tokens // audio):
            bucket = [new[i] for i in part]
            rows = chain.from_iterable(self._halving(bucket, hear))
            for i, row in zip(bucket, rows, strict=True):
                embeddings[i] = row[len(row) - tokens[i] :]
        audio = [own for own in embeddings if own is not None]
        self.kept.keep([keys[i] for i in new], [audio[i] for i in new])
        return audio

    def _audio(
        self, graphs: GraphCache, clips: Clips, frames: Sequence[int], tokens: Sequence[int]
    ) -> Tensor:
        """Run the audio tower; returns as `_encoded` does."""
        self.tower_passes += len(clips)
        with stage("features"):
            waves = torch.from_numpy(self.mel.padded(clips))
            if self.device.type == "cuda":
                waves = waves.pin_memory().to(self.device, non_blocking=True)
            mel = graphs.run("features", len(clips[0]), partial(self.mel, frames=frames), waves)
        with stage("forward"):
            encode = partial(self._encoded, frames=frames, tokens=tokens)
            return graphs.run("audio tower", frames[0], encode, mel)

    def _encoded(self, mel: Tensor, frames: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Return audio embeddings, (clips, tokens of the longest, width), padded on the left."""
        audio = self.tower(mel, frames).to(self.device)
        if audio.shape[1] != max(tokens):
            raise ValueError(f"{audio.shape[1]} audio features for {max(tokens)} audio tokens")
        if min(tokens) == max(tokens):
            return audio
        own = on_device(tokens, audio.device)[:, None]
        source = torch.arange(audio.shape[1], device=audio.device) - (audio.shape[1] - own)
        return audio.gather(1, source.clamp(min=0)[..., None].expand_as(audio))

    def _asked_together(
        self, audio: Tensor, tokens: Sequence[int], questions: Sequence[Question]
    ) -> Tensor:
        """Return the answers' logits, (questions, clips, 2): what questions share is read once."""
        padding = [max(tokens) - count for count in tokens]
        together, parts = self._as_trees(questions), []
        for asked in together.trees:
            text = asked.embedded.expand(len(audio), -1, -1)
            logits = self.decoder.answer_logits(
                torch.cat([audio, text], dim=1),
                self._past(asked.before),
                padding,
                asked.order(audio.shape[1]),
            )
            parts.append(logits.transpose(0, 1))
        return torch.cat(parts).index_select(0, together.places)

    def _as_trees(self, questions: Sequence[Question]) -> AskedTogether:
        """Return the questions in trees; the last ones are kept."""
        if self._together is None or self._together.questions != list(questions):
            self._together = AskedTogether.of(questions, self.decoder)
        return self._together

    def _asked(
        self, graphs: GraphCache, audio: Tensor, tokens: Sequence[int], question: Question
    ) -> Tensor:
        """Return the answers' logits, (clips, 2), to one question about encoded clips."""
        past = self._past(question.before)
        padding = [max(tokens) - count for count in tokens]

        def ask(audio: Tensor, after: Tensor) -> Tensor:
            embedded = torch.cat([audio, after.expand(len(audio), -1, -1)], dim=1)
            return self.decoder.answer_logits(embedded, past, padding)

        shape = (audio.shape[1], question.before, len(question.after))
        return graphs.run("language model", shape, ask, audio, self._after(question.after))

    def _past(self, ids: tuple[int, ...]) -> Past | None:
        """Return keys and values of the text in front of the audio, the same for every clip."""
        if ids not in self._pasts:
            self._pasts[ids] = self.decoder.remember(ids)
        return self._pasts[ids]

    def _after(self, ids: tuple[int, ...]) -> Tensor:
        """Return the embeddings of the text behind the audio, (1, tokens, width)."""
        if ids not in self._afters:
            if len(self._afters) >= QUESTIONS_KEPT:
                self._afters.pop(next(iter(self._afters)))
            self._afters[ids] = self.decoder.embed(ids)
        return self._afters[ids]


def _unless_out_of_memory(compute: Callable[[], Tensor], forgive: bool) -> Tensor | None:
    """Return what is computed, or None if memory ran out and `forgive` is true."""
    try:
        return compute()
    except torch.OutOfMemoryError:
        if not forgive:
            raise
    except RuntimeError as error:
        # What torch raises when a CPU's memory runs out.
        if not forgive or "not enough memory" not in str(error):
            raise
    return None
