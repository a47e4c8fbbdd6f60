"""Text generation by a detector's own language model, or by another from a folder or the hub."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .decoder import Decoder, Past
from .loading import choose_device
from .question import Chat
from .reachable import located

TOP_P = 0.95
"""Share of the probability that is drawn from: what is left out is mostly noise."""


@torch.inference_mode()
def write(
    lm: Any,
    decoder: Decoder,
    chat: Chat,
    text: str,
    seed: int,
    temperature: float,
    most_tokens: int,
) -> str:
    """Return what a detector's language model replies to a text without audio.

    Its own layers write, with the kernels that it scores with: `generate` starts several for each.

    Parameters
    ----------
    lm : transformers model
    decoder : Decoder
        Its layers.
    chat : Chat
    text : str
    seed : int
    temperature : float
        0 takes the likeliest token each time.
    most_tokens : int
    """
    encoded = chat.tokenizer(chat.render_text(text), add_special_tokens=False)["input_ids"]
    rng = torch.Generator(decoder.device).manual_seed(seed)
    last = {*_own_ends(lm), chat.end_of_turn()}
    most = min(most_tokens, decoder.window - len(encoded))
    reply: list[int] = []
    past: Past | None = None
    while len(reply) < most and not last.intersection(reply[-1:]):
        logits, past = decoder.next_token(reply[-1:] or encoded, past)
        reply.append(_drawn(logits, temperature, rng))
    return str(chat.tokenizer.decode(reply, skip_special_tokens=True))


def _own_ends(lm: Any) -> list[int]:
    """Return the tokens that a checkpoint names as the end of a reply."""
    own = lm.generation_config.eos_token_id
    return [own] if isinstance(own, int) else own or []


def _drawn(logits: Tensor, temperature: float, rng: torch.Generator) -> int:
    """Draw one of the likeliest tokens, which have `TOP_P` of the probability together."""
    if temperature == 0:
        return int(logits.argmax())
    likely, tokens = torch.softmax(logits / temperature, dim=-1).sort(descending=True)
    likely[likely.cumsum(0) - likely >= TOP_P] = 0
    return int(tokens[torch.multinomial(likely, 1, generator=rng)])


@torch.inference_mode()
def continued(
    lm: Any,
    tokenizer: Any,
    text: str,
    seed: int,
    temperature: float,
    most_tokens: int,
    ends: Sequence[int] = (),
) -> str:
    """Return how a causal language model goes on, drawn with a seed of its own.

    Of a checkpoint's own generation settings, Qwen3-Omni's name no end of a reply, and
    Qwen2-Audio's punish repetition, of which a list of questions is full.

    Parameters
    ----------
    lm : transformers model with `generate`
    tokenizer : transformers tokenizer
    text : str
        Chat text up to where the reply begins.
    seed : int
    temperature : float
        0 takes the likeliest token each time.
    most_tokens : int
    ends : sequence of int
        Tokens that end the reply, besides those that the checkpoint names.
    """
    encoded = tokenizer(text, return_tensors="pt", add_special_tokens=False).to(lm.device)
    drawn = {"do_sample": True, "temperature": temperature, "top_p": TOP_P, "top_k": 0}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        ids = lm.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            max_new_tokens=most_tokens,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=sorted({*_own_ends(lm), *ends}) or None,
            repetition_penalty=1.0,
            **(drawn if temperature > 0 else {"do_sample": False}),
        )
    return str(tokenizer.decode(ids[0, encoded["input_ids"].shape[1] :], skip_special_tokens=True))


class LocalWriter:
    """A causal language model, loaded to write prompts.

    Parameters
    ----------
    model : str
        Hub id or folder; safetensors only, no remote code.
    temperature : float
    most_tokens : int
        Of a reply.

    Raises
    ------
    ValueError
        If it cannot be loaded, or has no chat template.
    """

    def __init__(self, model: str, temperature: float = 1.0, most_tokens: int = 1500):
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = choose_device("auto")
        try:
            where = located(model, hears=False)
            self._tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False)
            self._lm = AutoModelForCausalLM.from_pretrained(
                where,
                dtype=torch.float32 if device.type == "cpu" else torch.bfloat16,
                use_safetensors=True,
                trust_remote_code=False,
            )
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ValueError(f"proposer: model '{model}' cannot be loaded: {reason}") from error
        if not self._tokenizer.chat_template:
            raise ValueError(f"proposer: model '{model}' has no chat template")
        self._lm = self._lm.to(device).eval()
        self._temperature, self._most_tokens = temperature, most_tokens

    def __call__(self, text: str, seed: int) -> str:
        """Return a reply."""
        chat = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
        )
        end = self._tokenizer.eos_token_id
        return continued(
            self._lm,
            self._tokenizer,
            chat,
            seed,
            self._temperature,
            self._most_tokens,
            [] if end is None else [end],
        )
