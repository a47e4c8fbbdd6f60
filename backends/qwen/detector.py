"""Detectors that ask a question with two answers; the score is the log-odds of the answers."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from speechdt import SAMPLE_RATE, stage
from speechdt.prompts.answer_options import SpeechIs, check_prompt, swap_options

from .adapter_files import check_adapter, is_checkpoint
from .finetuning.settings import FineTuning
from .gpu import check_device, check_memory
from .in_turn import InTurn
from .quantization import Quantization, check_quantization
from .question import BASELINE_PROMPT
from .reachable import check_reachable, located

Clips = Sequence[NDArray[np.float32]]

QUESTIONS_KEPT = 256
"""Prompts whose tokens are kept."""
CLIPS_AT_ONCE = {"cuda": 1024, "cpu": 64}
"""Clips that are scored, and saved, at a time."""
UNMOVED = 1e-5
"""Difference in log-odds below which a model is taken not to hear."""


class AnswerDetector(InTurn):
    """Asks a language model that hears, and scores what it would answer.

    The score is P(SPEECH) = 1 / (1 + exp(-z)), with z the log-odds of the two answer tokens at the
    first position of the answer, from one forward pass; nothing is generated.

    Parameters
    ----------
    model : str
        Hub id or local folder of a checkpoint.
    revision : str or None
        Branch, tag or commit on the hub.
    prompt : str
        The question, as text.
    adapter : str or None
        Folder from :meth:`finetune`: a PEFT folder, folded into the weights; or a checkpoint that
        was trained in full, which is taken instead of `model`.
    option_order : {"fixed", "both"}
        ``both`` averages z over the prompt and the prompt with the texts of its options exchanged.
    speech_is : {"A", "B"}
        Option that stands for SPEECH, in `prompt` and all others.
    system : str or None
        System message in front of the question; None leaves it to the chat template.
    quantization : {"nf4", "int8"} or None
        Of the language model's weights, for small cards (Qwen2-Audio alone).
    device : {"auto", "cpu", "cuda"}
        bfloat16 on a GPU, float32 on a CPU. The workflow refuses `auto` where there is no GPU, but
        for nano models.
    batch_size : int or None
        Clips a forward pass; None takes what fills the device, halved when memory runs out.

    Attributes
    ----------
    answers : AnswerTokens
        The tokens that answer, decided once for the tokenizer.
    lm : transformers model
        The stock model, with the adapter in its weights.

    Raises
    ------
    ValueError
        If the checkpoint or adapter cannot be used, in one line.
    """

    gpus = 1
    architecture: ClassVar[str]
    FineTuning: ClassVar[type] = FineTuning
    """What :meth:`finetune` can be told, and its defaults."""
    incidental_files = (
        *("nano/*", "reachable.py", "checkpoint_files.py", "gpu.py", "finetuning/card.py"),
    )
    training_files = ("finetuning/*",)
    scoring_files = ("engine.py", "decoder.py", "kept_*.py", "*_tree.py", "text_*.py", "*_turn.py")
    """What no score hangs on, what training alone does, and what scores alone do."""

    def __init__(
        self,
        model: str,
        revision: str | None = None,
        prompt: str = BASELINE_PROMPT,
        adapter: str | None = None,
        option_order: Literal["fixed", "both"] = "fixed",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        batch_size: int | None = None,
        speech_is: SpeechIs = "A",
        system: str | None = None,
        quantization: Quantization | None = None,
    ):
        # Imported here: listing the detectors must not load torch.
        from .loading import apply_adapter, choose_device, load_model

        if option_order == "both":
            swap_options(prompt)  # fails before the weights are read
        self.prompt, self.both, self.speech_is = prompt, option_order == "both", speech_is
        with stage("load"):
            own = self._architecture()
            in_full = adapter is not None and is_checkpoint(adapter)
            base, commit = (str(adapter), None) if in_full else (model, revision)
            lm = load_model(own.MODEL_CLASS, base, commit, choose_device(device), quantization)
            if adapter is not None and not in_full:
                lm = apply_adapter(lm, adapter)
            self._set_up(lm, model, revision, batch_size, system)
        self._bare = adapter is None

    @classmethod
    def check(
        cls,
        model: str | None,
        revision: str | None = None,
        prompt: str = BASELINE_PROMPT,
        adapter: str | None = None,
        option_order: str = "fixed",
        device: str = "auto",
        batch_size: int | None = None,
        quantization: str | None = None,
        gpus: int = 1,
        **_options: object,
    ) -> None:
        """Raise a ValueError, before any job starts, if this cannot be built.

        The checkpoint cannot be reached, the adapter does not fit it (None: the workflow makes it,
        or there is none), there is no GPU for it, no clip fits into a batch, the prompt has a third
        option, or both orders are asked of one without two.
        """
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, and must be at least 1")
        check_prompt(prompt)
        check_quantization(quantization, cls.architecture)
        if option_order == "both":
            swap_options(prompt)
        if model is not None:
            check_reachable(model, revision)
        if adapter is not None and not is_checkpoint(adapter):
            check_adapter(adapter, model, revision)
        if model is not None:
            check_device(device, model)
            check_memory(device, model, revision, quantization, gpus)

    @classmethod
    def finetune(
        cls, train: Sequence[Path], dev: Sequence[Path], out: Path, **settings: Any
    ) -> None:
        """Train on the cell files `train`, choose on `dev`, write the adapter to `out`.

        Parameters
        ----------
        train, dev : sequences of Path
        out : Path
            A stock PEFT folder with a model card, there when all of it is.
        **settings
            Of :class:`FineTuning`; ``model`` is required.

        Raises
        ------
        ValueError
            If data, settings or checkpoint cannot be used, or the loss is not finite: in one line.
        """
        from .loading import read_for

        chosen = FineTuning(**settings)
        check_quantization(chosen.quantization, cls.architecture)
        reading = read_for(chosen)  # while transformers and PEFT are imported
        from .finetuning.finetune import finetune

        finetune(cls._architecture(), train, dev, Path(out), chosen, reading)

    @classmethod
    def around(
        cls,
        lm: Any,
        processor: str,
        prompt: str = BASELINE_PROMPT,
        option_order: Literal["fixed", "both"] = "fixed",
        batch_size: int | None = None,
    ) -> Self:
        """Build a detector around a stock model that is in memory already.

        Parameters
        ----------
        lm : transformers model of the architecture
            On the device and in the type it is to run in; its projections become views of merged
            ones, and it goes on working.
        processor : str
            Hub id or local folder of its processor.
        """
        detector = cls.__new__(cls)
        detector.prompt, detector.both, detector.speech_is = prompt, option_order == "both", "A"
        detector._set_up(lm, processor, None, batch_size, None)
        return detector

    @classmethod
    def _architecture(cls) -> ModuleType:
        return import_module(f".{cls.architecture}", __package__)

    def _set_up(
        self,
        lm: Any,
        processor: str,
        revision: str | None,
        batch_size: int | None,
        system: str | None,
    ) -> None:
        from .decoder import Decoder
        from .engine import Engine
        from .mel import LogMel

        own = self._architecture()
        token = own.audio_token_id(lm.config)
        chat, extractor = own.load_processor(located(processor, revision), revision, token)
        if extractor.sampling_rate != SAMPLE_RATE:
            raise ValueError(
                f"'{processor}' takes {extractor.sampling_rate} Hz, and clips have {SAMPLE_RATE}"
            )
        chat = replace(chat, system=system)
        self.lm, self._chat, self.answers = lm, chat, chat.answer_tokens()
        self._question = lru_cache(QUESTIONS_KEPT)(chat.question)
        decoder = Decoder(own.language_model(lm), lm.lm_head, self.answers.ids)
        mel = LogMel(extractor, decoder.device, own.TAIL, own.EDGE)
        self.engine = Engine(mel, own.Tower(lm), decoder, batch_size)
        self._check_that_it_hears()
        self.engine.tower_passes = 0

    def score(self, clips: Clips) -> NDArray[np.float64]:
        """Return P(SPEECH) for each clip, float64 (clips,)."""
        return self.score_prompts(clips, [self.prompt])[0]

    def score_prompts(self, clips: Clips, prompts: Sequence[str]) -> NDArray[np.float64]:
        """Return P(SPEECH) for each prompt and clip, float64 (prompts, clips).

        A clip is encoded once for all prompts.
        """
        by_order = self.log_odds(clips, prompts, both=self.both)
        with stage("post"):
            return np.exp(-np.logaddexp(0, -by_order.mean(axis=0)))

    def log_odds(
        self, clips: Clips, prompts: Sequence[str] | None = None, *, both: bool = True
    ) -> NDArray[np.float64]:
        """Return the log-odds of SPEECH by option order: their difference is the order's bias.

        Parameters
        ----------
        clips : sequence of float32 arrays, each (samples,)
            Mono, 16 kHz.
        prompts : sequence of str or None
            None takes the detector's own.
        both : bool
            False leaves the second order out.

        Returns
        -------
        float64 array, (orders, prompts, clips)
            Order 0 is the prompt as it is, order 1 has the texts of its options exchanged.

        Raises
        ------
        ValueError
            If a clip cannot be heard, or a prompt has no options to exchange.
        """
        prompts = [self.prompt] if prompts is None else list(prompts)
        asked = [*prompts, *(swap_options(prompt) for prompt in prompts if both)]
        logits = self.engine.answer_logits(clips, [self._question(prompt) for prompt in asked])
        # With exchanged options, SPEECH has the other letter.
        signs = np.array([1, -1] if both else [1]) * (1 if self.speech_is == "A" else -1)
        a_over_b = (logits[..., 0] - logits[..., 1]).reshape(len(signs), len(prompts), len(clips))
        return a_over_b * signs[:, None, None]

    def answer_mass(self, clips: Clips) -> NDArray[np.float64]:
        """Return the probability of either answer to the detector's prompt, float64 (clips,).

        Where it is small, the log-odds of two answers that the model does not give mean little.
        """
        return self.engine.answer_mass(clips, self._question(self.prompt))

    def keep_audio(self, gib: float) -> None:
        """Keep encoded clips from call to call, up to so many GiB of the device's memory."""
        self.engine.kept.budget = int(gib * 2**30)

    @property
    def clips_at_once(self) -> int:
        """Number of clips to score at a time: batches of several lengths fill a GPU."""
        return CLIPS_AT_ONCE[self.engine.device.type]

    @property
    def tower_passes(self) -> int:
        """Number of clips that went through the audio tower so far."""
        return self.engine.tower_passes

    def generate(
        self, text: str, seed: int, temperature: float = 1.0, most_tokens: int = 1500
    ) -> str:
        """Let the language model answer a text, without audio: it can propose its own prompts.

        Parameters
        ----------
        text : str
            What the user says.
        seed : int
            The same seed gives the same reply on the same device.
        temperature : float
        most_tokens : int
        """
        from .text_writer import write

        decoder = self.engine.decoder
        return write(self.lm, decoder, self._chat, text, seed, temperature, most_tokens)

    @staticmethod
    def check_writer(model: str) -> None:
        """Raise a ValueError, before any job starts, if a model that writes is out of reach."""
        check_reachable(model, hears=False)

    def _check_that_it_hears(self) -> None:
        """Warn if neither noise nor a tone in place of silence moves the answer."""
        time = np.arange(SAMPLE_RATE // 2, dtype=np.float32) / SAMPLE_RATE
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, len(time)).astype(np.float32)
        tone = 0.5 * np.sin(2 * np.pi * 440 * time)
        answers = self.log_odds([np.zeros_like(time), noise, tone], both=self.both)
        if np.ptp(answers, axis=-1).max() < UNMOVED:
            warnings.warn(
                f"{type(self).__name__} gives silence, noise and a tone the same answer",
                stacklevel=3,
            )


class Qwen2Audio(AnswerDetector):
    """Qwen2-Audio (``Qwen2AudioForConditionalGeneration``), asked for A or B."""

    architecture = "qwen2_audio"


class Qwen3Omni(AnswerDetector):
    """Qwen3-Omni's thinker (``Qwen3OmniMoeThinkerForConditionalGeneration``), asked for A or B."""

    architecture = "qwen3_omni"
