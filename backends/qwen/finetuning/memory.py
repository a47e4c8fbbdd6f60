"""Training that memory is too small for: the same steps, in smaller batches."""

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from speechdt.errors import SpeechdtError

from .checkpoints import last_complete_checkpoint
from .processes import Processes
from .settings import FineTuning


def trained(run: Any, folder: Path, processes: Processes) -> list[dict[str, Any]]:
    """Train a run to its end and return the Trainer's log.

    Where memory runs out, a forward pass takes fewer clips and a step more of them, so that a step
    has as many clips as before; training goes on from the last checkpoint.

    Parameters
    ----------
    run : Run
        Its settings are those that it was trained with in the end.
    folder : Path
        Where checkpoints are.
    processes : Processes
        That train together; several share their batches and cannot do with less one by one.

    Raises
    ------
    SpeechdtError
        If a single clip is too much.
    """
    first = {name: weight.detach().cpu().clone() for name, weight in run.model.trained.items()}
    while True:
        checkpoint = processes.shared(
            last_complete_checkpoint(folder) if processes.is_first else None
        )
        trainer = run.trainer(folder, checkpoint is not None, processes)
        try:
            trainer.train(resume_from_checkpoint=checkpoint)
        except torch.OutOfMemoryError:
            if processes.count > 1:
                raise SpeechdtError(
                    f"memory runs out at batch_size {run.settings.batch_size}: halve it and double "
                    "gradient_accumulation, which are the same steps"
                ) from None
        else:
            return list(trainer.state.log_history)
        del trainer
        run.settings = smaller(run.settings)
        print(
            f"memory ran out: batches of {run.settings.batch_size} from here on, "
            f"{run.settings.gradient_accumulation} a step: as many clips as before",
            flush=True,
        )
        _as_before(run.model, first)


def smaller(settings: FineTuning) -> FineTuning:
    """Return settings with batches of half as many clips or fewer, and as many clips a step."""
    if settings.batch_size == 1:
        raise SpeechdtError(
            "memory is too small to train on a single clip at a time: set gradient_checkpointing: "
            "true, or quantization: nf4"
        )
    size = settings.batch_size // 2
    while settings.step_clips % size:
        size -= 1
    return replace(settings, batch_size=size, gradient_accumulation=settings.step_clips // size)


def _as_before(model: Any, first: dict[str, Tensor]) -> None:
    """Put the first weights back and let go of all that the failed attempt holds."""
    with torch.no_grad():
        for name, weight in model.trained.items():
            weight.grad = None
            weight.copy_(first[name])
    gc.collect()
    if model.device.type == "cuda":
        torch.cuda.empty_cache()
