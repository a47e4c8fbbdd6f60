"""Quantised weights of the language model: 4 bits (NF4) or 8, by bitsandbytes.

For cards of 8 to 16 GB. NF4 is that of QLoRA (Dettmers et al. 2023, arXiv 2305.14314), int8 that of
LLM.int8() (Dettmers et al. 2022, arXiv 2208.07339). Audio tower, projector, embeddings and the head
stay as they are: they are small, and the answers are read from the head.
"""

from importlib.util import find_spec
from typing import Any, Literal

KINDS = ("nf4", "int8")
Quantization = Literal["nf4", "int8"]
ARCHITECTURE = "qwen2_audio"
"""Of the other, almost all weights are experts, which are no linear layers."""
UNTOUCHED = [r".*audio_tower", r".*multi_modal_projector", "lm_head"]
"""Regular expressions over the beginnings of names."""
BITS = {"nf4": 4.25, "int8": 8.25}
"""Of a weight, the scales of its block included; rounded up."""


def check_quantization(kind: str | None, architecture: str) -> None:
    """Raise a ValueError of one line if weights cannot be quantised so."""
    if kind is None:
        return
    if kind not in KINDS:
        raise ValueError(f"quantization '{kind}' is none of: {', '.join(KINDS)}")
    if architecture != ARCHITECTURE:
        raise ValueError(f"quantization is for {ARCHITECTURE}, and not for {architecture}")
    if find_spec("bitsandbytes") is None:
        raise ValueError(
            f"quantization '{kind}' needs a package: pip install 'speechdt[quantization]'"
        )


def quantization_config(kind: str, dtype: Any) -> Any:
    """Return what transformers quantises by as it loads.

    Parameters
    ----------
    kind : {"nf4", "int8"}
    dtype : torch.dtype
        That products are computed in.
    """
    from transformers import BitsAndBytesConfig

    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=UNTOUCHED)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=UNTOUCHED,
    )


def is_quantized(model: Any) -> bool:
    """Say whether a model's language model has quantised weights."""
    return bool(getattr(model, "is_quantized", False))
