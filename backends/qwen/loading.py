"""Loading of checkpoints and adapters with transformers and PEFT."""

import logging
import time
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from .adapter_files import (
    NOT_LOADED,
    SHOWN,
    WEIGHTS,
    AdapterFiles,
    by_canonical_name,
    canonical,
    check_fit,
    read_adapter,
    targeted,
)
from .finetuning.settings import FineTuning
from .gpu import ROOM
from .quantization import is_quantized, quantization_config
from .reachable import located
from .weights_ahead import Reading, begin

PREFIX = "base_model.model."
"""What PEFT puts before a layer's name."""
COMPUTED = ("inv_freq", "position_ids")
"""Ends of names that older checkpoints have of what is no weight."""
READ = "weights read in"
"""How a job's log says how long that took."""


def choose_device(wanted: str) -> torch.device:
    """Return the device for ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    ValueError
        If a GPU is asked for and torch sees none.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch sees no GPU")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def load_model(
    class_name: str,
    model: str,
    revision: str | None,
    device: torch.device,
    quantization: str | None = None,
    reading: Reading | None = None,
) -> nn.Module:
    """Load a model by the stock ``from_pretrained``: safetensors only, no remote code.

    Parameters
    ----------
    class_name : str
        Class in transformers.
    model : str
        Hub id or local folder.
    revision : str or None
        Branch, tag or commit on the hub.
    device : torch.device
        bfloat16 on a GPU, float32 on a CPU. If one GPU is too small, the decoder's layers are
        spread over all.
    quantization : {"nf4", "int8"} or None
        Of the language model's linear layers.
    reading : future or None
        Of its weights, if :func:`read_ahead` began to read them.

    Raises
    ------
    ValueError
        If the checkpoint cannot be read, lacks weights, or does not fit.
    """
    reading = reading or read_ahead(model, revision, device, quantization)
    import transformers

    cls = getattr(transformers, class_name)
    where = located(model, revision)
    began = time.perf_counter()
    try:
        config = cls.config_class.from_pretrained(where, revision=revision)
        dtype = _dtype(device)
        placed = _placement(cls, config, dtype, device, quantization)
        source = _source(where, revision, reading)
        loaded, info = cls.from_pretrained(
            **source,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **placed,
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"model '{model}' cannot be loaded: {reason}") from error
    source.get("state_dict", {}).clear()  # weights that are merged later would be kept
    _check_loaded(info, model, class_name)
    loaded.name_or_path = loaded.config.name_or_path = model  # not the folder of a cache
    logging.getLogger("speechdt").info("%s %.1f s", READ, time.perf_counter() - began)
    return loaded.eval().requires_grad_(False)


def read_ahead(
    model: str, revision: str | None, device: torch.device, quantization: str | None
) -> Reading | None:
    """Begin to read weights, where that is faster; parameters as of :func:`load_model`."""
    if quantization is not None:
        return None
    return begin(located(model, revision), device, _dtype(device))


def read_for(settings: FineTuning) -> Reading | None:
    """Begin to read the weights that are to be trained, where that is faster."""
    if settings.processes > 1:  # each has a GPU of its own, and knows it later
        return None
    about = settings.revision, choose_device(settings.device), settings.quantization
    return read_ahead(settings.model, *about)


def _dtype(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def _source(where: str, revision: str | None, reading: Reading | None) -> dict[str, Any]:
    """Return what `from_pretrained` is told of where weights come from."""
    from transformers import GenerationConfig

    tensors = reading.result() if reading is not None else None
    if tensors is None:
        return {"pretrained_model_name_or_path": where, "revision": revision}
    return {
        "pretrained_model_name_or_path": None,
        "state_dict": tensors,
        "generation_config": GenerationConfig.from_pretrained(where),
    }


def _placement(
    cls: type, config: Any, dtype: torch.dtype, device: torch.device, quantization: str | None
) -> dict[str, Any]:
    """Return what `from_pretrained` is told of where weights go, and in how many bits."""
    if quantization is not None:
        settings = quantization_config(quantization, dtype)
        return {"device_map": {"": device}, "quantization_config": settings}
    if device.type == "cpu":
        return {"device_map": None}
    return {"device_map": _device_map(cls, config, dtype, device)}


def _check_loaded(info: Mapping[str, Any], model: str, class_name: str) -> None:
    """Raise a ValueError of one line unless a checkpoint gave each weight, and had no others.

    transformers warns of these in a log, makes up what is missing, and goes on.
    """
    unexpected = [
        name
        for name in info.get("unexpected_keys") or ()
        if not name.startswith(NOT_LOADED) and not name.endswith(COMPUTED)
    ]
    misshapen = [str(one[0]) for one in info.get("mismatched_keys") or ()]
    for problem, names in (
        ("lacks", sorted(info["missing_keys"])),
        ("has in other shapes", sorted(misshapen)),
        ("has beside what is loaded", sorted(unexpected)),
    ):
        if names:
            count = f"{len(names)} weights of {class_name}"
            raise ValueError(f"model '{model}' {problem} {count}, such as {names[0]}")


def apply_adapter(model: nn.Module, adapter: str) -> nn.Module:
    """Fold a PEFT adapter into the weights, so that it costs no time.

    Beside quantised weights it stays as it is: folded in, it would be rounded to their few levels.

    Adapters that name layers as other versions of transformers did are mapped to this model's
    names, weights and settings alike.

    Raises
    ------
    ValueError
        If the folder holds no adapter, or one that does not fit in full: the message is one line.
    """
    files = read_adapter(adapter)
    check_fit(files, by_canonical_name([_shapes(model)]), model.name_or_path)
    try:
        adapted = _adapted(model, files)
        merged = adapted.get_base_model() if is_quantized(model) else adapted.merge_and_unload()
    except (ValueError, RuntimeError, LookupError, TypeError, AttributeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"adapter '{adapter}' cannot be applied: {reason}") from error
    return merged.eval().requires_grad_(False)


def _shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight; quantised ones are stored in another than theirs."""
    shapes = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    linear = {
        f"{name}.weight": (module.out_features, module.in_features)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    }
    return shapes | linear


def _adapted(model: nn.Module, files: AdapterFiles) -> Any:
    """Return the model with an adapter beside its layers, each weight of it in its place."""
    from peft import PeftConfig, PeftModel, set_peft_model_state_dict
    from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING
    from safetensors.torch import load_file

    config = PeftConfig.from_pretrained(str(files.folder))
    config.inference_mode = True
    names = _Names(model)
    weights = {
        names.of_weight(name): weight for name, weight in load_file(files.folder / WEIGHTS).items()
    }
    if weights.keys() != files.shapes.keys():
        names.retarget(config)
    peft = PeftModel(model, config)
    loaded = set_peft_model_state_dict(peft, weights)
    prefix = PEFT_TYPE_TO_PREFIX_MAPPING[config.peft_type]
    missing = [name for name in loaded.missing_keys if prefix in name]
    for problem, keys in (
        ("the model has no place for", loaded.unexpected_keys),
        ("the adapter lacks", missing),
    ):
        if keys:
            raise ValueError(f"{problem} {len(keys)} weights: {', '.join(keys[:SHOWN])}")
    return peft


def own_layer_names(model: nn.Module, names: Iterable[str]) -> set[str]:
    """Return what a model calls layers that an adapter's file names."""
    own = _Names(model)
    return {own.of_layer(name) for name in names}


class _Names:
    """A model's own names of what other versions of transformers call otherwise."""

    def __init__(self, model: nn.Module):
        self.own = {canonical(name): name for name, _ in model.named_modules()}

    def of_layer(self, name: str) -> str:
        """Return a layer's own name; of one that is not there, its own parent's and the rest."""
        stem, rest = canonical(name), ""
        while stem and stem not in self.own:
            stem, _, last = stem.rpartition(".")
            rest = f".{last}{rest}"
        return self.own[stem] + rest if stem else name.removeprefix(PREFIX)

    def of_weight(self, name: str) -> str:
        """Return a weight's name in an adapter's file for this model."""
        return f"{PREFIX}{self.of_layer(name)}"

    def retarget(self, config: Any) -> None:
        """Make settings that name layers name this model's."""
        targets = config.target_modules
        if isinstance(targets, str) and targets != "all-linear":
            means = targeted(targets)
            config.target_modules = {own for name, own in self.own.items() if means(name)}
        for key in ("target_modules", "exclude_modules", "modules_to_save"):
            listed = getattr(config, key, None)
            if listed is not None and not isinstance(listed, str):
                setattr(config, key, type(listed)(map(self._of_setting, listed)))
        for key in ("rank_pattern", "alpha_pattern"):
            pattern = getattr(config, key, None) or {}
            setattr(config, key, {self._of_setting(n): value for n, value in pattern.items()})

    def _of_setting(self, name: str) -> str:
        """Return a layer's own name; ends of names and patterns stay as they are."""
        return self.own.get(canonical(name), name) if "." in name else name


def weight_bytes(model: nn.Module, *, without_embeddings: bool = False) -> int:
    """Return the bytes of a model's weights."""
    skipped = model.get_input_embeddings().weight if without_embeddings else None
    return sum(
        weight.numel() * weight.element_size()
        for weight in model.parameters()
        if weight is not skipped
    )


def _device_map(
    cls: type, config: Any, dtype: torch.dtype, device: torch.device
) -> dict[str, torch.device]:
    """Return where each part goes: all on one GPU, or decoder layers spread over all of them."""
    with torch.device("meta"):
        blank = cls._from_config(deepcopy(config), dtype=dtype)
    needed = weight_bytes(blank)
    free = [torch.cuda.mem_get_info(i)[0] * ROOM for i in range(torch.cuda.device_count())]
    if needed <= free[device.index]:
        return {"": device}
    if needed > sum(free):
        raise ValueError(
            f"the weights take {needed / 1e9:.1f} GB, and the {len(free)} GPUs of this job have "
            f"{sum(free) / 1e9:.1f} GB free for them: claim more (`gpus:`), or end what holds them"
        )
    return _spread(blank, free)


def _spread(model: nn.Module, free: list[float]) -> dict[str, torch.device]:
    """Put everything but the decoder's layers on the first GPU, and fill up GPU by GPU."""
    layers = _decoder_layers(model) + "."
    sizes: dict[str, int] = {}
    for name, weight in [*model.named_parameters(), *model.named_buffers()]:
        depth = layers.count(".") + 1 if name.startswith(layers) else name.count(".")
        part = ".".join(name.split(".")[:depth])
        sizes[part] = sizes.get(part, 0) + weight.numel() * weight.element_size()
    place, gpu, room = {}, 0, free[0]
    for part in sorted(sizes, key=lambda part: part.startswith(layers)):
        if sizes[part] > room and gpu + 1 < len(free):
            gpu, room = gpu + 1, free[gpu + 1]
        place[part] = torch.device("cuda", gpu)
        room -= sizes[part]
    return place


def _decoder_layers(model: nn.Module) -> str:
    """Return the name of the list of decoder layers."""
    return next(
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.ModuleList) and hasattr(module[0], "post_attention_layernorm")
    )
