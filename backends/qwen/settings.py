"""How a model is fine-tuned: every setting, its default and why; nothing heavy is imported."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .question import BASELINE_PROMPT

LANGUAGE_MODEL_TARGETS = (
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
)  # fmt: skip
"""Linear layers of a decoder layer: all of them, as QLoRA (arXiv 2305.14314) found to matter."""
TOWER_TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
"""Linear layers of an audio tower's layer."""


@dataclass(frozen=True)
class FineTuning:
    """Settings of :meth:`AnswerDetector.finetune`.

    Attributes
    ----------
    model, revision
        Checkpoint to start from, as for the detector.
    prompt : str or sequence of str
        The question; of several, each clip is asked one, by chance.
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

    def __post_init__(self) -> None:
        if self.loss not in ("answer", "assistant", "sequence"):
            raise ValueError(f"loss '{self.loss}' is none of: answer, assistant, sequence")
        for name in ("rank", "batch_size", "gradient_accumulation", "eval_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, and must be at least 1")
        if self.processes < 1 or self.batch_size % self.processes:
            raise ValueError(
                f"batch_size is {self.batch_size}, and {self.processes} processes are to share it"
            )
        if not self.prompts:
            raise ValueError("prompt: name at least one")

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
