"""Stock processors and models of Qwen: the reference for exactness and for speed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoProcessor, AutoTokenizer, WhisperFeatureExtractor
from transformers.models.qwen3_omni_moe import modeling_qwen3_omni_moe

Clips = list[NDArray[np.float32]]

RATE = 16_000


class StockQwen2Audio:
    """Stock processor (every clip padded to 30 s) and stock model, as a script would use them.

    Parameters
    ----------
    model : transformers.Qwen2AudioForConditionalGeneration
    folder : str or Path
        Its processor.
    answers : tuple of int
        Ids of the two answer tokens.
    padding_side : {"left", "right"}
        Of batches; ``generate`` needs ``left``.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        folder: str | Path,
        answers: tuple[int, int],
        padding_side: str = "left",
    ):
        self.model, self.answers = model, list(answers)
        self.processor = AutoProcessor.from_pretrained(folder)
        self.tokenizer = self.processor.tokenizer
        self.tokenizer.padding_side = padding_side

    def inputs(self, clips: Clips, prompt: str) -> dict[str, Any]:
        """Return what the model takes, on its device."""
        audio = {"type": "audio", "audio_url": "clip.wav"}
        message = {"role": "user", "content": [audio, {"type": "text", "text": prompt}]}
        text = self.processor.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False
        )
        inputs = self.processor(
            text=[text] * len(clips),
            audio=clips,
            sampling_rate=RATE,
            return_tensors="pt",
            padding=True,
        )
        return self._placed(dict(inputs))

    def _placed(self, inputs: dict[str, Any]) -> dict[str, Any]:
        placed = {name: tensor.to(self.model.device) for name, tensor in inputs.items()}
        placed["input_features"] = placed["input_features"].to(self.model.dtype)
        return placed

    @torch.inference_mode()
    def generate(self, clip: NDArray[np.float32], prompt: str) -> str:
        """Answer one clip in text of one new token."""
        inputs = self.inputs([clip], prompt)
        generated = self.model.generate(**inputs, max_new_tokens=1, do_sample=False)
        new = generated[:, inputs["input_ids"].shape[1] :]
        return self.tokenizer.batch_decode(new, skip_special_tokens=True)[0]

    @torch.inference_mode()
    def log_odds(self, clips: Clips, prompt: str) -> NDArray[np.float64]:
        """Answer a batch by the stock forward: log-odds of the answers, (clips,)."""
        inputs = self.inputs(clips, prompt)
        mask = inputs["attention_mask"]
        last = mask.shape[1] - 1 - mask.flip(1).argmax(1)
        logits = self.model(**inputs).logits
        if logits.shape[1] != mask.shape[1]:
            raise RuntimeError("the stock model took its legacy path: lengths differ")
        answers = logits[torch.arange(len(clips), device=last.device), last][:, self.answers]
        return (answers[:, 0].double() - answers[:, 1].double()).cpu().numpy()


class StockQwen3Omni(StockQwen2Audio):
    """Stock feature extractor, tokenizer and model.

    The stock processor's own steps without the processor, which torchvision is needed to build.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        folder: str | Path,
        answers: tuple[int, int],
        padding_side: str = "left",
    ):
        self.model, self.answers = model, list(answers)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side=padding_side)
        self.extractor = WhisperFeatureExtractor.from_pretrained(folder)

    def inputs(self, clips: Clips, prompt: str) -> dict[str, Any]:
        """Return what the model takes, on its device."""
        features = self.extractor(
            clips,
            sampling_rate=RATE,
            padding=True,
            truncation=False,
            return_attention_mask=True,
            return_tensors="pt",
        )
        audio = {"type": "audio", "audio": "clip.wav"}
        message = {"role": "user", "content": [audio, {"type": "text", "text": prompt}]}
        text = self.tokenizer.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False
        )
        token = self.tokenizer.audio_token
        counts = modeling_qwen3_omni_moe._get_feat_extract_output_lengths(
            features["attention_mask"].sum(-1)
        )
        texts = [text.replace(token, token * int(count)) for count in counts]
        tokens = self.tokenizer(texts, padding=True, return_tensors="pt")
        return self._placed(
            {
                "input_ids": tokens["input_ids"],
                "attention_mask": tokens["attention_mask"],
                "input_features": features["input_features"],
                "feature_attention_mask": features["attention_mask"],
            }
        )


STOCK = {"qwen2_audio": StockQwen2Audio, "qwen3_omni": StockQwen3Omni}
