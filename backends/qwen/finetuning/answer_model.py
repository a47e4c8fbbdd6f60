"""Training model: the stock one with its tower on the clip's own frames and a head on the answer.

The modules are the stock model's own, so that what PEFT puts into them is a stock adapter; what
is left out are frames beyond the clip and logits that no loss asks for.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..encoder import StockEncoderLayer


class AnswerModel(nn.Module):
    """Computes the loss of a batch from :class:`Collator`.

    Parameters
    ----------
    own : module
        What is the architecture's own (``qwen2_audio`` or ``qwen3_omni``).
    lm : transformers model, or PeftModel around one
    answers : tuple of int
        Ids of the answer tokens.
    """

    accepts_loss_kwargs = True  # the Trainer hands over how many tokens a whole step supervises

    def __init__(self, own: ModuleType, lm: Any, answers: tuple[int, int]):
        super().__init__()
        self.lm = lm
        stock = lm.get_base_model() if hasattr(lm, "get_base_model") else lm
        self.answers = list(answers)
        # In a tuple, so that no weight is listed twice.
        self._parts = (own.Tower(stock, StockEncoderLayer), own.language_model(stock), stock)

    @property
    def tower(self) -> Any:
        """Audio tower and projector."""
        return self._parts[0]

    @property
    def device(self) -> torch.device:
        """Where the embeddings are."""
        return self._parts[1].embed_tokens.weight.device

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """The weights that are trained, by name."""
        return {name: w for name, w in self.lm.named_parameters() if w.requires_grad}

    def precision(self) -> AbstractContextManager[Any]:
        """Return what computes in bfloat16 on a GPU, whatever the type of the trained weights."""
        if self.device.type == "cpu":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _tower_is_trained(self) -> bool:
        parts = (self.tower.tower, getattr(self.tower, "project", None))
        return any(w.requires_grad for part in parts if part is not None for w in part.parameters())

    def forward(
        self,
        mel: Tensor,
        frames: Sequence[int],
        ids: Tensor,
        labels: Tensor,
        audio_places: Tensor,
        audio_source: Tensor,
        places: Tensor,
        targets: Tensor,
        num_items_in_batch: Tensor | int | None = None,
    ) -> dict[str, Tensor]:
        """Return ``{"loss": cross-entropy over the whole vocabulary}``, see :class:`Collator`.

        Parameters
        ----------
        num_items_in_batch : int or None
            Supervised tokens of the whole step, which the sum is divided by; None: of this batch.
        """
        with self.precision():
            hidden = self._hidden(mel, frames, ids, audio_places, audio_source)
            logits = self._parts[2].lm_head(hidden[places])
        count = len(places) if num_items_in_batch is None else num_items_in_batch
        return {"loss": F.cross_entropy(logits.float(), targets, reduction="sum") / count}

    @torch.no_grad()
    def log_odds(self, batch: dict[str, Any]) -> Tensor:
        """Return the log-odds of the two answers, (clips,), for a batch of loss `answer`."""
        batch = {k: v.to(self.device) if torch.is_tensor(v) else v for k, v in batch.items()}
        inputs = ("mel", "frames", "ids", "audio_places", "audio_source")
        with self.precision():
            hidden = self._hidden(*(batch[name] for name in inputs))[batch["places"]]
        rows = self._parts[2].lm_head.weight[self.answers]
        logits = hidden.float() @ rows.float().T
        return logits[:, 0] - logits[:, 1]

    def _hidden(
        self,
        mel: Tensor,
        frames: Sequence[int],
        ids: Tensor,
        audio_places: Tensor,
        audio_source: Tensor,
    ) -> Tensor:
        """Return the last hidden states, (clips x tokens, width)."""
        language_model = self._parts[1]
        with nullcontext() if self._tower_is_trained() else torch.no_grad():
            audio = self.tower(mel, frames)
        embedded = language_model.embed_tokens(ids)
        audio_rows = audio.flatten(0, 1)[audio_source].to(embedded.device, embedded.dtype)
        embedded = embedded.flatten(0, 1).index_copy(0, audio_places, audio_rows).view_as(embedded)
        states = language_model(inputs_embeds=embedded, use_cache=False).last_hidden_state
        return states.flatten(0, 1)
