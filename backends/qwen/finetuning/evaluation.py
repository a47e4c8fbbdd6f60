"""Evaluation on dev: the log-odds of all clips, in batches of about the same length."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from .examples import Example
from .processes import Processes

EVALUATION_BATCH = {"cpu": 64, "cuda": 128}
EVALUATION_SECONDS = "evaluation_s"
"""Key of an evaluation's time in the log of a training."""


class Answering(Protocol):
    """Source of log-odds of a batch: the training model, or the one that takes packed batches."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def log_odds(self, batch: dict[str, Any]) -> Tensor:
        """Return the log-odds of the two answers, (clips,)."""


def dev_metrics(
    model: Answering,
    clips: Sequence[Example],
    collate: Callable[..., Any],
    processes: Processes,
) -> dict[str, float]:
    """Return log-loss and balanced accuracy of the two answers, and the seconds that it took."""
    began = time.perf_counter()
    z = dev_log_odds(model, clips, collate, processes)
    is_speech = torch.tensor([clip.answer == 0 for clip in clips])
    losses = torch.nn.functional.softplus(torch.where(is_speech, -z, z))
    right = (z >= 0) == is_speech
    rates = [right[own].double().mean() for own in (is_speech, ~is_speech)]
    return {
        "eval_log_loss": losses.mean().item(),
        "eval_balanced_accuracy": (sum(rates) / 2).item(),
        EVALUATION_SECONDS: round(time.perf_counter() - began, 3),
    }


def dev_log_odds(
    model: Answering,
    clips: Sequence[Example],
    collate: Callable[..., Any],
    processes: Processes,
) -> Tensor:
    """Return the log-odds of SPEECH, float64 (clips,), on the CPU; each process takes its share."""
    order = sorted(range(len(clips)), key=lambda i: clips[i].frames)
    size = EVALUATION_BATCH[model.device.type]
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    own = batches[processes.number :: processes.count]
    # Fetched at the end: the device goes on while the next batch is made.
    answers = [_log_odds(model, [clips[i] for i in chosen], collate) for chosen in own]
    z = torch.zeros(len(clips), dtype=torch.float64)
    for chosen, answer in zip(own, answers, strict=True):
        z[chosen] = answer.double().cpu()
    return processes.summed(z, model.device)


def _log_odds(model: Answering, clips: Sequence[Example], collate: Callable[..., Any]) -> Tensor:
    """Return the log-odds of a batch; in halves if memory runs out."""
    try:
        return model.log_odds(collate([(clip, 0) for clip in clips]))
    except torch.OutOfMemoryError:
        if len(clips) == 1:
            raise
    torch.cuda.empty_cache()
    half = len(clips) // 2
    return torch.cat([_log_odds(model, part, collate) for part in (clips[:half], clips[half:])])


class KeptBatches:
    """Lays out each batch of dev once, and keeps it where it is computed.

    Parameters
    ----------
    pack : callable
        Lays out a batch.
    device : torch.device
    """

    def __init__(self, pack: Callable[..., dict[str, Any]], device: torch.device):
        self._pack, self._device = pack, device
        self._kept: dict[tuple[int, ...], dict[str, Any]] = {}

    def __call__(self, drawn: Sequence[tuple[Example, int]]) -> dict[str, Any]:
        """Return the batch of clips that live as long as this."""
        key = tuple(id(clip) for clip, _ in drawn)
        if key not in self._kept:
            self._kept[key] = {
                name: value.to(self._device) if torch.is_tensor(value) else value
                for name, value in self._pack(drawn).items()
            }
        return self._kept[key]


def evaluation_share(log: Sequence[dict[str, float]], seconds: float) -> str:
    """Return in words how much of a training's time went into evaluation.

    Parameters
    ----------
    log : sequence of dict
        The Trainer's, of this process's own evaluations.
    seconds : float
        The training's.
    """
    evaluated = math.fsum(entry.get(EVALUATION_SECONDS, 0.0) for entry in log)
    share = evaluated / seconds if seconds else 0.0
    return f"evaluation took {evaluated:.1f} s of {seconds:.1f} s, {share:.0%}"
