"""Choice of the trained weights: LoRA beside chosen layers, or the whole language model."""

import re
from types import ModuleType
from typing import Any

import torch
from torch import nn

from .settings import LANGUAGE_MODEL_TARGETS, TOWER_TARGETS, FineTuning


def adapted(own: ModuleType, lm: Any, settings: FineTuning) -> Any:
    """Return the model with the weights to train: a PeftModel, or itself if trained in full."""
    from peft import LoraConfig, get_peft_model
    from peft.tuners.tuners_utils import BaseTunerLayer

    body = own.language_model(lm)
    if settings.gradient_checkpointing:
        lm.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if settings.full:
        lm.float()  # what bfloat16 rounds away is most of a step
        body.requires_grad_(True)
        body.embed_tokens.requires_grad_(False)
        if settings.tower:
            own.Tower(lm, _Layer).tower.layers.requires_grad_(True)
        return lm.train()
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=target_names(own, lm, settings),
        bias="none",
    )
    peft = get_peft_model(lm, config)
    for module in peft.modules():
        # PEFT would turn every input into float32, only for autocast to turn it back.
        if lm.dtype == torch.bfloat16 and isinstance(module, BaseTunerLayer):
            module.cast_input_dtype_enabled = False
    return peft.train()


class _Layer:
    @staticmethod
    def of(stock: nn.Module) -> nn.Module:
        return stock


def target_names(own: ModuleType, lm: nn.Module, settings: FineTuning) -> list[str]:
    """Return the full names of the linear layers that LoRA adapts.

    Names of their last part alone (``q_proj``) would also hit the audio tower, and the eyes of
    Qwen3-Omni; a regular expression would as well, because PEFT 0.21 turns it into such names for
    mixtures of experts (``transformers_weight_conversion.py``).

    Raises
    ------
    ValueError
        If there is none.
    """
    pattern = target_pattern(own, lm, settings)
    linear = [name for name, module in lm.named_modules() if isinstance(module, nn.Linear)]
    names = [name for name in linear if re.fullmatch(pattern, name)]
    if not names:
        raise ValueError(f"targets: no linear layer is called {pattern}")
    return names


def target_pattern(own: ModuleType, lm: nn.Module, settings: FineTuning) -> str:
    """Return the regular expression over whole names that says what is adapted."""
    if isinstance(settings.targets, str):
        return settings.targets
    targets = "|".join(map(re.escape, settings.targets or LANGUAGE_MODEL_TARGETS))
    body = re.escape(_name_of(lm, own.language_model(lm)))
    pattern = rf"{body}\.layers\.\d+\.\w+\.({targets})"
    if settings.tower:
        tower = re.escape(_name_of(lm, own.Tower(lm, _Layer).tower))
        pattern = rf"{pattern}|{tower}\.layers\.\d+\.(\w+\.)?({'|'.join(TOWER_TARGETS)})"
    return pattern


def _name_of(model: nn.Module, part: nn.Module) -> str:
    return next(name for name, module in model.named_modules() if module is part)
