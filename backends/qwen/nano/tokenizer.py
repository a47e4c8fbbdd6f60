"""Tokenizers and chat templates of the nano models, in the formats of the real ones."""

import json
from collections.abc import Mapping
from typing import Any

from .questions import all_texts

VOCABULARY = 1000
"""Most tokens before the special ones; 256 of them are the bytes, so that any text is possible."""

QWEN2_AUDIO_CHAT = (
    "{% set audio_count = namespace(value=0) %}"
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for content in message['content'] %}"
    "{% if 'audio' in content or 'audio_url' in content or content['type'] == 'audio' %}"
    "{% set audio_count.value = audio_count.value + 1 %}"
    "Audio {{ audio_count.value }}: <|audio_bos|><|AUDIO|><|audio_eos|>\n"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Chat in the format of Qwen2-Audio-7B-Instruct."""
QWEN3_OMNI_CHAT = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for content in message['content'] %}"
    "{% if 'audio' in content or 'audio_url' in content or content['type'] == 'audio' %}"
    "<|audio_start|><|audio_pad|><|audio_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Chat in the format of Qwen3-Omni-30B-A3B-Instruct, as far as it concerns text and audio."""


def train_tokenizer(named: Mapping[str, str]) -> Any:
    """Train Qwen's kind of tokenizer, byte-level BPE, on the questions.

    Parameters
    ----------
    named : mapping
        Special tokens of the model, by the attribute under which its processor looks for them.
    """
    from tokenizers import pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    roles = "system\nYou are a helpful assistant.\nuser\nAudio 1: \nassistant\n"
    learner = Qwen2Tokenizer().backend_tokenizer
    learner.train_from_iterator([roles, *all_texts()], trainer)
    learned = json.loads(learner.to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=[tuple(pair) for pair in learned["merges"]],
        extra_special_tokens=dict(named),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    tokenizer.add_special_tokens(
        {"extra_special_tokens": ["<|im_start|>"]}, replace_extra_special_tokens=False
    )
    return tokenizer
