"""Checkpoints of a training, written while it goes on, and whole when they are opened."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import recursively_apply
from safetensors.torch import load_file
from torch import Tensor
from transformers import TrainerCallback

from speechdt import checksums

from ..room import copies

WEIGHTS = "trained.safetensors"
STATE = "trainer_state.json"
COMPLETE = "complete"
"""Checksums of a checkpoint that was written to its end."""
OF_EACH_PROCESS = ("rng_state_*.pth",)
"""What other processes may be writing still."""
_NAME = re.compile(r"checkpoint-(\d+)")


def last_complete_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that is whole, and whose best one is; None without.

    Those that were not written to their end are removed. Damaged ones are named in a line and set
    aside. What else lies there is left alone.
    """
    checkpoints = {
        int(name[1]): path for path in folder.iterdir() if (name := _NAME.fullmatch(path.name))
    }
    for step in sorted(checkpoints, reverse=True):
        checkpoint = checkpoints[step]
        if checkpoint.is_dir() and not (checkpoint / COMPLETE).exists():
            shutil.rmtree(checkpoint)
        elif problem := _damage(checkpoint):
            away = checksums.set_aside(checkpoint)
            print(checksums.damage_line(checkpoint, problem, away), file=sys.stderr, flush=True)
        else:
            return str(checkpoint)
    return None


def _damage(checkpoint: Path) -> str:
    """Return what is wrong with a checkpoint, or with the best one that it would end with."""
    problem = checksums.damage(checkpoint, checkpoint / COMPLETE)
    if problem:
        return problem
    named = json.loads((checkpoint / STATE).read_bytes()).get("best_model_checkpoint")
    best = checkpoint.with_name(Path(named).name) if named else checkpoint
    if best == checkpoint:
        return ""
    problem = checksums.damage(best, best / COMPLETE)
    return f"the best one, {best.name}: {problem}" if problem else ""


def weights(checkpoint: Path) -> dict[str, Tensor]:
    """Read the weights of a checkpoint.

    Raises
    ------
    Damaged
        If they are not as they were written.
    """
    listed = checkpoint / COMPLETE
    problem = checksums.damage(checkpoint, listed, [WEIGHTS]) if listed.exists() else ""
    if problem:
        away = checksums.set_aside(checkpoint)
        raise checksums.Damaged(checksums.damage_line(checkpoint, problem, away) + checksums.AGAIN)
    return load_file(checkpoint / WEIGHTS)


class CheckpointWriter(TrainerCallback):
    """Writes the large files of each checkpoint, and lists the checksums of all at the end.

    Training goes on meanwhile, until the next checkpoint.

    Parameters
    ----------
    copies : bool
        Whether there is room for a copy of what is saved; without, training waits for its files.
    """

    def __init__(self, copies: bool = True) -> None:
        self._copies = copies
        self._writer = ThreadPoolExecutor(1)  # one after the other: the list comes last
        self._pending: list[Future[Any]] = []

    def save(self, write: Callable[[Any, Path], Any], state: Any, path: Path) -> None:
        """Have a nested state of tensors written to a file."""
        if self._copies:  # what trains goes on changing its own
            self._begin(_write, write, *_copied(state), path)
        else:
            write(state, path)

    def on_save(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        """Begin to mark the checkpoint of this step."""
        if state.is_world_process_zero:
            saved = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            self._begin(_mark, saved, list(self._pending))

    def wait(self) -> None:
        """Return once the last checkpoint is marked.

        Raises
        ------
        OSError
            If it could not be written to its end.
        """
        pending, self._pending = self._pending, []
        for future in pending:
            future.result()

    def _begin(self, work: Callable[..., Any], *arguments: Any) -> None:
        self._pending.append(self._writer.submit(work, *arguments))


def _copied(state: Any) -> tuple[Any, torch.cuda.Event | None]:
    """Return a copy of a nested state of tensors, and what says that it is made, if on a GPU.

    Training waits for a transfer to main memory, and not for a copy where the state is.
    """
    tensors: list[Tensor] = []
    recursively_apply(tensors.append, state)
    copied = copies([tensor for tensor in tensors if tensor.is_cuda])
    left = iter(copied)
    copy = recursively_apply(lambda own: next(left) if own.is_cuda else own.clone(), state)
    if not any(tensor.is_cuda for tensor in copied):
        return copy, None
    made = torch.cuda.Event()
    made.record()
    return copy, made


def _write(
    write: Callable[[Any, Path], Any], state: Any, made: torch.cuda.Event | None, path: Path
) -> None:
    """Write a copy; from a GPU it comes beside what is computed there meanwhile."""
    if made is not None:
        with torch.cuda.stream(torch.cuda.Stream(made.device)):
            torch.cuda.current_stream(made.device).wait_event(made)
            state = recursively_apply(Tensor.cpu, state)
    write(state, path)


def _mark(saved: Path, written: Sequence[Future[Any]]) -> None:
    """List the checksums of a checkpoint, unless one of its files could not be written."""
    for file in written:
        file.result()
    checksums.write(saved, saved / COMPLETE, OF_EACH_PROCESS)
