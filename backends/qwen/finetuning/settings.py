"""Settings of fine-tuning, with defaults and reasons; nothing heavy is imported."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from speechdt.prompts.answer_options import check_prompt

from ..quantization import ARCHITECTURE, check_quantization
from ..question import BASELINE_PROMPT

LANGUAGE_MODEL_TARGETS = (
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
)  # fmt: skip
"""Linear layers of a decoder layer: all of them, as QLoRA (arXiv 2305.14314) found to matter."""
TOWER_TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
"""Linear layers of an audio tower's layer."""
LEAST = {
    **dict.fromkeys(("rank", "alpha", "batch_size", "gradient_accumulation", "eval_steps"), 1),
    **dict.fromkeys(("processes", "dev_clips", "steps", "patience"), 1),
    "clips": 2,  # one of each class
    "warmup_steps": 0,
}
"""Least value of each setting that is a whole number."""
SPEC_AUGMENT = {"frequency_mask": math.inf, "time_mask": 1, "probability": 1}
"""Keys of ``spec_augment`` and the most that each can be; the least is 0."""


@dataclass(frozen=True)
class FineTuning:
    """Settings of :meth:`AnswerDetector.finetune`.

    Attributes
    ----------
    model, revision
        Checkpoint to start from, as for the detector.
    prompt : str or sequence of str
        The question; of several, each clip is asked one, by chance.
    system : str or None
        System message in front of the question; None leaves it to the chat template.
    quantization : {"nf4", "int8"} or None
        Of the weights that LoRA stands beside (QLoRA), for small cards.
    clips : int or None
        Training clips: the first so many by number; None takes all.
    dev_clips : int or None
        Clips of dev that choose the checkpoint, spread evenly over it; None takes all.
    loss : {"answer", "assistant", "sequence"}
        What is supervised: the answer token alone, the answer and the end of the turn, or every
        position.
    rank, alpha, dropout
        Of LoRA (Hu et al., 2021, arXiv 2106.09685).
    targets : sequence of str, str or None
        Names of linear layers within the language model; or a regular expression over whole names.
    tower : bool
        Adapt the audio tower as well.
    full : bool
        Train all weights of the language model (and of the tower, if `tower`) instead of LoRA.
    epochs : float
        Passes over the training clips, unless `steps` says how many steps.
    steps : int or None
    batch_size, gradient_accumulation : int
        Clips a forward pass (of all processes together), and forward passes a step.
    learning_rate, warmup_steps
        The schedule is linear warm-up, then a cosine to 0.
    eval_steps : int
        Steps between evaluations on dev, each of which leaves a checkpoint.
    patience : int or None
        Evaluations without a better log-loss on dev after which training ends.
    gradient_checkpointing : bool
        Compute the forward pass twice, for less memory.
    spec_augment : mapping or None
        ``frequency_mask`` (mel bins), ``time_mask`` (share of a clip's frames), ``probability``.
    seed : int
    processes : int
        How many train together, started by torchrun, each with its share of every batch.
    device : {"auto", "cpu", "cuda"}
    checkpoints : str or None
        Folder for checkpoints; a killed run with the same settings and data goes on from there.

    Raises
    ------
    ValueError
        If a setting cannot be: the message is one line naming it.
    """

    model: str
    revision: str | None = None
    prompt: str | Sequence[str] = BASELINE_PROMPT
    clips: int | None = None
    dev_clips: int | None = None
    loss: Literal["answer", "assistant", "sequence"] = "answer"
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    targets: Sequence[str] | str | None = None
    tower: bool = False
    full: bool = False
    epochs: float = 3
    steps: int | None = None
    batch_size: int = 8
    gradient_accumulation: int = 2
    learning_rate: float = 2e-4
    warmup_steps: int = 0
    eval_steps: int = 20
    patience: int | None = None
    gradient_checkpointing: bool = False
    spec_augment: Mapping[str, Any] | None = None
    seed: int = 0
    processes: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    checkpoints: str | None = None
    system: str | None = None
    quantization: Literal["nf4", "int8"] | None = None

    def __post_init__(self) -> None:
        if self.loss not in ("answer", "assistant", "sequence"):
            raise ValueError(f"loss '{self.loss}' is none of: answer, assistant, sequence")
        for name, least in LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} is {value}, and must be at least {least}")
        for name in ("epochs", "learning_rate"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"{name} is {value}, and must be above 0")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, and must be at least 0 and below 1")
        if self.batch_size % self.processes:
            raise ValueError(
                f"batch_size is {self.batch_size}, and {self.processes} processes are to share it"
            )
        if not self.prompts:
            raise ValueError("prompt: name at least one")
        for prompt in self.prompts:
            check_prompt(prompt)
        check_quantization(self.quantization, ARCHITECTURE)
        if self.quantization is not None and self.full:
            raise ValueError("quantization: quantised weights are not trained in full")
        self._check_targets()
        if self.spec_augment is not None:
            _check_spec_augment(self.spec_augment)

    def _check_targets(self) -> None:
        if isinstance(self.targets, str):
            try:
                re.compile(self.targets)
            except re.error as error:
                raise ValueError(f"targets is no regular expression: {error}") from error
        elif self.targets is not None and not (
            isinstance(self.targets, Sequence)
            and self.targets
            and all(isinstance(name, str) for name in self.targets)
        ):
            raise ValueError(
                f"targets is {self.targets!r}, and must be names of layers or a regular expression"
            )

    @property
    def prompts(self) -> tuple[str, ...]:
        """All prompts."""
        return (self.prompt,) if isinstance(self.prompt, str) else tuple(self.prompt)

    @property
    def step_clips(self) -> int:
        """Clips a step."""
        return self.batch_size * self.gradient_accumulation

    def result(self) -> dict[str, Any]:
        """Return the settings that the result depends on."""
        where = ("device", "checkpoints", "processes")
        return {name: value for name, value in asdict(self).items() if name not in where}


def _check_spec_augment(spec_augment: Any) -> None:
    keys = ", ".join(SPEC_AUGMENT)
    if not isinstance(spec_augment, Mapping):
        raise ValueError(f"spec_augment is {spec_augment!r}, and must be a mapping; keys: {keys}")
    for name, value in spec_augment.items():
        if name not in SPEC_AUGMENT:
            raise ValueError(f"spec_augment: unknown key '{name}'; keys: {keys}")
        kind, called = (int, "a whole number") if name == "frequency_mask" else (float, "a number")
        if isinstance(value, bool) or not isinstance(value, int | kind):
            raise ValueError(f"spec_augment.{name} is {value!r}, and must be {called}")
        if not 0 <= value <= SPEC_AUGMENT[name]:
            most = SPEC_AUGMENT[name]
            bounds = "at least 0" if most == math.inf else f"from 0 to {most}"
            raise ValueError(f"spec_augment.{name} is {value}, and must be {bounds}")
