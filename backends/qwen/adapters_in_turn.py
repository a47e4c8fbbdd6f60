"""Adapters in turn on one loaded checkpoint: each is folded into its weights and taken out again.

A fold cannot be subtracted: in bfloat16 the sum was rounded. What is folded into is therefore
copied before, and copied back; the next adapter finds the checkpoint's own bits. The copy stays on
the GPU where that has room for it many times over, and is in main memory otherwise, which takes
seconds each way.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from .adapter_files import AdapterFiles, lora_layer, read_adapter
from .loading import apply_adapter, own_layer_names
from .quantization import is_quantized
from .room import copies

BESIDE = ("modules_to_save", "trainable_token_indices", "target_parameters", "lora_bias")
"""Settings by which an adapter changes more than the weights of linear layers."""


class AdaptersInTurn:
    """A model as it was loaded, and the adapter that is folded into it.

    Parameters
    ----------
    lm : transformers model
        Without an adapter. Its weights change in place: what is a view of them, such as fused
        projections, stays one.
    """

    def __init__(self, lm: nn.Module):
        self._lm = lm
        self._adapter: str | None = None
        self._changed: list[str] = []
        self._own: dict[str, Tensor] = {}

    def fold(self, adapter: str | None) -> bool:
        """Fold an adapter in, in place of the one before; None leaves the model as it was loaded.

        Returns
        -------
        bool
            False if that cannot be undone, or if it changes layers that the model lacks: the model
            then stays as it was loaded.

        Raises
        ------
        ValueError
            If the folder holds no adapter, or one whose weights do not fit, in one line.
        """
        if adapter == self._adapter:
            return True
        self._restore()
        if adapter is None:
            return True
        layers = self._layers(read_adapter(adapter))
        if not layers:
            return False
        new = [name for name in layers if name not in self._own]
        copied = copies([self._weight(name) for name in new])
        self._own |= dict(zip(new, copied, strict=True))
        self._changed = layers
        places = {name: self._weight(name) for name in layers}
        apply_adapter(self._lm, adapter)
        for name, place in places.items():
            module = self._lm.get_submodule(name)
            if module.weight.data_ptr() != place.data_ptr():
                place.copy_(module.weight.data)
                module.weight.data = place
        self._adapter = adapter
        return True

    @property
    def set_aside(self) -> int:
        """Bytes of GPUs that hold copies of what was folded into."""
        return sum(own.nbytes for own in self._own.values() if own.is_cuda)

    def beyond(self, part: nn.Module) -> str | None:
        """Return the adapter that is folded in, if it changes anything outside of a part."""
        inside = set(part.modules())
        within = all(self._lm.get_submodule(name) in inside for name in self._changed)
        return None if within else self._adapter

    def _restore(self) -> None:
        for name in self._changed:
            self._weight(name).copy_(self._own[name])
        self._changed, self._adapter = [], None

    def _weight(self, layer: str) -> Tensor:
        weight: Tensor = self._lm.get_submodule(layer).weight.data
        return weight

    def _layers(self, files: AdapterFiles) -> list[str]:
        """Return the linear layers that a LoRA changes; none if it changes anything else."""
        if is_quantized(self._lm) or not _plain(files.config):
            return []
        named = [lora_layer(name) for name in files.shapes]
        if None in named:
            return []
        layers = sorted(own_layer_names(self._lm, [name for name in named if name]))
        modules = dict(self._lm.named_modules())
        head = self._lm.get_output_embeddings()
        foldable = all(
            type(modules.get(name)) is nn.Linear and modules[name] is not head for name in layers
        )
        return layers if foldable else []


def _plain(config: Mapping[str, Any]) -> bool:
    """Say whether an adapter is a LoRA of linear layers and nothing else."""
    others = any(config.get(key) for key in (*BESIDE, "use_dora"))
    return config.get("peft_type") == "LORA" and config.get("bias", "none") == "none" and not others
