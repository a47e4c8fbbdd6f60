"""Training of a nano model: first on text, then on audio.

A large audio language model is a language model that was taught to hear; here likewise. First the
language model learns from text alone what is asked: where the audio would stand are vectors that
stand for "speech", "music" and so on. Then the whole model learns from clips, and goes on reading a
little. Without the first stage, options that change places kept models at chance for hundreds of
steps: what is heard and where the options stand tell the answer only together.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from speechdt import seeds
from speechdt.progress import progress as progress_bar

from ..mel import LogMel
from .models import HEARING
from .questions import LETTERS, SILENT, SOUNDS, Question, draw
from .sounds import Recordings, alter, batch

TEXTS = 64
"""Questions a step of the first stage."""
CODE, CODE_NOISE = 0.3, 0.1
"""Standard deviations of the vectors that stand for sounds, and of each audio token around one."""
MOST_IMAGINED = 30
"""Most audio tokens of an imagined sound, so that questions are read behind any length."""
REHEARSED = 16
"""Imagined sounds in a step of the second stage, so that reading is not forgotten."""
ABOUT_SPEECH_FIRST, ABOUT_SPEECH = 0.2, 0.75
"""Share of the questions that ask for speech: at the beginning of the second stage, where those
for the category teach more, and from `SETTLED` of it on."""
SETTLED = 0.6
YES_FIRST = 0.65
"""Share of the questions whose first option is "yes"."""
READING_RATE, LANGUAGE_RATE = 2e-3, 1e-3
"""Learning rates of the language model in the two stages."""
WARM_UP = 50
DECAY = 0.05
BETAS = (0.9, 0.98)
REPORTED = 50
"""Steps over which a figure of the learning curve is averaged."""


class Point(NamedTuple):
    """A point of the learning curve: means over the last steps of a stage."""

    stage: str
    step: int
    loss: float
    accuracy: float


class Trainer:
    """Trains a nano model in place.

    Parameters
    ----------
    model : transformers model
    architecture : {"qwen2_audio", "qwen3_omni"}
    chat : Chat
        From the architecture's module.
    mel : LogMel
    seed : int
        Of the questions, the clips and their alterations; imagined sounds take torch's generator.

    Attributes
    ----------
    curve : list of Point
    """

    def __init__(self, model: nn.Module, architecture: str, chat: Any, mel: LogMel, seed: int):
        self.model, self.mel, self.chat = model, mel, chat
        self.language_model = import_module(f"..{architecture}", __package__).language_model(model)
        self.hear = HEARING[architecture]
        self.rng = seeds.generator(seed, "nano", architecture)
        self.hertz = band_centres(mel.filters.shape[1])
        self.letters = {letter: chat.tokenizer.convert_tokens_to_ids(letter) for letter in LETTERS}
        self.codes = CODE * torch.randn(len(SOUNDS) + 1, 1, self._width)
        self.curve: list[Point] = []
        self._tokens = lru_cache(maxsize=None)(chat.question)
        self._recent: list[tuple[float, float]] = []

    def read(self, steps: int) -> None:
        """Teach the language model to read the questions."""
        optimizer = torch.optim.AdamW(
            self._language_weights(), lr=READING_RATE, weight_decay=0.0, betas=BETAS
        )
        for step in self._steps("reading", steps, TEXTS):
            _set_rate(optimizer, min(1, (step + 1) / WARM_UP) * (1 - 0.5 * step / steps))
            self._learn(optimizer, *self._imagined(TEXTS))

    def listen(self, recordings: Recordings, steps: int, clips: int, rate: float) -> None:
        """Teach the whole model to hear.

        Parameters
        ----------
        recordings : Recordings
        steps : int
        clips : int
            Clips a step, each with one question.
        rate : float
            Highest learning rate of the tower.
        """
        language = self._language_weights()
        ids = {id(weight) for weight in language}
        tower = [w for w in self.model.parameters() if w.requires_grad and id(w) not in ids]
        groups = [
            {"params": language, "lr": LANGUAGE_RATE, "weight_decay": 0.0},
            {"params": [w for w in tower if w.ndim > 1], "lr": rate, "weight_decay": DECAY},
            {"params": [w for w in tower if w.ndim <= 1], "lr": rate, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, betas=BETAS)
        for step in self._steps("hearing", steps, clips):
            done = step / steps
            cosine = 0.5 * (1 + math.cos(math.pi * done))
            _set_rate(optimizer, min(1, (step + 1) / WARM_UP) * (0.02 + 0.98 * cosine))
            categories, waves = batch(recordings, clips, self.rng)
            features = alter(self._features(waves), self.hertz, self.rng)
            audio = self.hear(self.model, features)
            settled = min(1, done / SETTLED)
            speech = ABOUT_SPEECH_FIRST + (ABOUT_SPEECH - ABOUT_SPEECH_FIRST) * settled
            questions = [draw(category, speech, YES_FIRST, self.rng) for category in categories]
            imagined, more = self._imagined(REHEARSED)
            self._learn(optimizer, [*audio, *imagined], [*questions, *more])

    def _imagined(self, count: int) -> tuple[list[Tensor], list[Question]]:
        """Return vectors in place of sounds, each (audio tokens, width), and questions on them."""
        held = np.where(
            self.rng.random(count) < 0.45, 0, self.rng.integers(1, len(self.codes), count)
        )
        tokens = self.rng.integers(1, MOST_IMAGINED, count, endpoint=True)
        imagined = [
            self.codes[i] + CODE_NOISE * torch.randn(int(length), self._width)
            for i, length in zip(held, tokens, strict=True)
        ]
        holds = (*SOUNDS, SILENT)
        return imagined, [draw(holds[i], ABOUT_SPEECH, YES_FIRST, self.rng) for i in held]

    @property
    def _width(self) -> int:
        return self.model.config.text_config.hidden_size

    def _language_weights(self) -> list[nn.Parameter]:
        parts = (self.language_model, self.model.lm_head)
        return [weight for part in parts for weight in part.parameters()]

    def _features(self, waves: NDArray[np.float32]) -> Tensor:
        frames = [self.mel.frames(wave.size) for wave in waves]
        return self.mel(torch.from_numpy(self.mel.padded(list(waves))), frames)

    def _learn(
        self,
        optimizer: torch.optim.Optimizer,
        audio: Sequence[Tensor],
        questions: Sequence[Question],
    ) -> None:
        """Take a step by the loss on the answers' tokens alone.

        Parameters
        ----------
        audio : sequence of tensors, each (audio tokens, width)
            What each question is about.
        """
        answers = torch.tensor([self.letters[question.answer] for question in questions])
        logits = self._answer_logits(audio, [question.prompt for question in questions])
        loss = F.cross_entropy(logits, answers)
        optimizer.zero_grad()
        loss.backward()
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        right = (logits.argmax(dim=-1) == answers).double().mean().item()
        self._recent.append((loss.item(), right))

    def _answer_logits(self, audio: Sequence[Tensor], prompts: Sequence[str]) -> Tensor:
        """Return the logits of all tokens where the answer stands, (prompts, vocabulary).

        Rows are padded at the end, which a causal model does not see from the answer's place.
        """
        place = self.chat.audio_token_id
        rows = []
        for sound, prompt in zip(audio, prompts, strict=True):
            asked = self._tokens(prompt)
            rows.append(torch.tensor([*asked.before, *[place] * len(sound), *asked.after]))
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        embedded = self.language_model.embed_tokens(ids)
        embedded = embedded.masked_scatter((ids == place)[..., None], torch.cat(list(audio)))
        hidden = self.language_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
        last = torch.tensor([len(row) - 1 for row in rows])
        return self.model.lm_head(hidden[torch.arange(len(rows)), last])

    def _steps(self, stage: str, steps: int, size: int) -> Iterable[int]:
        """Yield the steps of a stage, and keep its learning curve."""
        self._recent = []
        with progress_bar(total=steps * size, desc=stage, unit="clip") as progress:
            for step in range(steps):
                yield step
                loss, right = np.mean(self._recent[-REPORTED:], axis=0)
                progress.set_postfix(loss=f"{loss:.3f}", right=f"{right:.3f}", refresh=False)
                progress.update(size)
                if (step + 1) % REPORTED == 0 or step + 1 == steps:
                    self.curve.append(Point(stage, step + 1, float(loss), float(right)))


def band_centres(bands: int) -> NDArray[np.float64]:
    """Return the centres of Whisper's mel bands in Hz, (bands,)."""
    from transformers.audio_utils import hertz_to_mel, mel_to_hertz

    edges = np.linspace(0, hertz_to_mel(8000.0, "slaney"), bands + 2)
    return np.asarray(mel_to_hertz(edges, "slaney"))[1:-1]


def _set_rate(optimizer: torch.optim.Optimizer, share: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = share * group.setdefault("highest", group["lr"])
