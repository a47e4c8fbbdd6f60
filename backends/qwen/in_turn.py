"""A detector that becomes another one on the same checkpoint: other prompt, other adapter."""

from dataclasses import replace
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal

from speechdt import stage
from speechdt.prompts.answer_options import SpeechIs, swap_options

from .adapter_files import is_checkpoint
from .question import BASELINE_PROMPT


class InTurn:
    """Detector whose base `speechdt.detectors.shared_base` reads once for several of its kind.

    Attributes
    ----------
    of_base : tuple of str
        Options that say what is loaded; under all others it can be asked in turn.
    """

    of_base = ("model", "revision", "device", "quantization")
    _bare = False
    """Whether it was loaded without an adapter: one that was folded in there stays."""
    _adapters: Any = None
    engine: Any
    lm: Any
    _chat: Any

    def become(
        self,
        prompt: str = BASELINE_PROMPT,
        adapter: str | None = None,
        option_order: Literal["fixed", "both"] = "fixed",
        batch_size: int | None = None,
        speech_is: SpeechIs = "A",
        system: str | None = None,
        **_of_base: object,
    ) -> bool:
        """Answer from now on as a detector under other options on the same checkpoint would.

        The adapter is folded into the weights that are loaded, in place of the one before: bit for
        bit what a detector of its own would have.

        Parameters
        ----------
        **options
            As for the class; those of `of_base` are those that it was built with.

        Returns
        -------
        bool
            False if it takes a detector of its own: for a model that was trained in full, an
            adapter that is more than a LoRA of linear layers, or one beside quantised weights.
        """
        from .adapters_in_turn import AdaptersInTurn
        from .engine import QUESTIONS_KEPT, Engine

        if not self._bare or (adapter is not None and is_checkpoint(adapter)):
            return False
        if option_order == "both":
            swap_options(prompt)
        with stage("load"):
            self._adapters = self._adapters or AdaptersInTurn(self.lm)
            words = self._architecture().language_model(self.lm)
            ears = self._adapters.beyond(words)
            if not self._adapters.fold(adapter):
                return False
            before = self.engine
            # A new one: what it remembers of texts and graphs was of other weights.
            self.engine = Engine(before.mel, before.tower, before.decoder, batch_size)
            if self._adapters.beyond(words) == ears:
                self.engine.kept = before.kept
            self.engine.kept.budget = before.kept.budget
            self.prompt, self.both, self.speech_is = prompt, option_order == "both", speech_is
            self._chat = replace(self._chat, system=system)
            self._question = lru_cache(QUESTIONS_KEPT)(self._chat.question)
            self._check_that_it_hears()
            self.engine.tower_passes = 0
        return True

    @property
    def set_aside(self) -> int:
        """Bytes of GPUs that hold weights as they were loaded, for the next detector."""
        return self._adapters.set_aside if self._adapters else 0

    @classmethod
    def _architecture(cls) -> ModuleType:
        raise NotImplementedError

    def _check_that_it_hears(self) -> None:
        raise NotImplementedError
