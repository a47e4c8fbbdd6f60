"""Training steps on packed batches: forward and backward pass as one CUDA graph for each shape."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ..graphs import GraphCache
from .packed_model import NotPackedError, PackedModel
from .settings import FineTuning

FUNCTION = "training step"


def why_not(settings: FineTuning, device: torch.device) -> str | None:
    """Return why steps cannot be taken on packed batches, or None.

    On a CPU nothing is gained by it: nothing is launched, and products are as fast in parts.
    """
    if device.type != "cuda":
        return "there is no GPU"
    for name in ("full", "tower", "gradient_checkpointing", "quantization"):
        if getattr(settings, name):
            return f"{name} is {str(getattr(settings, name)).lower()}"
    return None


def packed_model(own: Any, model: Any, settings: FineTuning) -> PackedModel | None:
    """Return the model that takes packed batches; None, with a line on a GPU, where it cannot be.

    Parameters
    ----------
    own : module
        What is the architecture's own.
    model : AnswerModel
    settings : FineTuning
    """
    reason = why_not(settings, model.device)
    if reason is None:
        try:
            return PackedModel(own, model)
        except NotPackedError as error:
            reason = str(error)
    if model.device.type == "cuda":
        print(f"steps are launched layer by layer, which is slower: {reason}", flush=True)
    return None


class PackedSteps:
    """Computes losses of batches and adds their gradients to those of the step.

    Parameters
    ----------
    model : PackedModel

    Attributes
    ----------
    graphs : GraphCache
        A shape is captured when it turns up for the second time.
    """

    def __init__(self, model: PackedModel):
        self.model = model
        self.graphs = GraphCache(model.device.type == "cuda", around=self._undone)

    def __call__(self, batch: dict[str, Any], count: Tensor | int, *, last: bool) -> Tensor:
        """Return the loss of a batch as the Trainer logs it.

        Parameters
        ----------
        batch : dict
            From :class:`Packer`, on the device.
        count : int or tensor
            Supervised tokens of the whole step, of all processes.
        last : bool
            Whether the step is complete: gradients are summed over processes then.
        """
        weights = self.model.weights
        weights.attach()
        names = [name for name, value in batch.items() if torch.is_tensor(value)]
        names.remove("labels")  # the Trainer's alone
        fixed = {name: value for name, value in batch.items() if not torch.is_tensor(value)}
        supervised = torch.as_tensor(count, dtype=torch.float32, device=self.model.device)

        def step(count: Tensor, *tensors: Tensor) -> Tensor:
            weights.refresh()
            loss = self.model.loss(dict(zip(names, tensors, strict=True)) | fixed, count)
            loss.backward()
            return loss.detach()

        inputs = [batch[name] for name in names]
        shape = (tuple(fixed.items()), tuple(tensor.shape for tensor in inputs))
        loss = self.graphs.run(FUNCTION, shape, step, supervised, *inputs)
        if not dist.is_initialized():
            return loss
        if last:
            dist.all_reduce(weights.gradient)
        return loss * dist.get_world_size()  # the Trainer logs the mean of all processes

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Leave gradients and random numbers as they are: a capture runs the step some times."""
        gradient = self.model.weights.gradient
        before, random = gradient.clone(), torch.cuda.get_rng_state(self.model.device)
        try:
            yield
        finally:
            gradient.copy_(before)
            torch.cuda.set_rng_state(random, self.model.device)
