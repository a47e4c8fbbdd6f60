"""Fine-tuning from cell files to a stock PEFT adapter, or to a full stock checkpoint."""

import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import torch
import transformers

from speechdt.audio.io import from_flac_bytes
from speechdt.files import content_hash

from ..adapter_files import CONFIG
from ..loading import choose_device, load_model
from ..mel import LogMel
from ..reachable import located
from ..weights_ahead import Reading
from .adaptation import adapted
from .answer_model import AnswerModel
from .card import model_card
from .collate import IGNORED, Collator
from .evaluation import EVALUATION_SECONDS
from .examples import Draws, example
from .memory import trained
from .packed_model import PackedModel
from .processes import Processes
from .settings import FineTuning
from .spec_augment import SpecAugment
from .steps import packed_model
from .trainer import ALONE, SPEED, AnswerTrainer
from .trials import read_dev, read_train

TIMED_BY_TRAINER = ("_runtime", "_per_second")
"""Ends of what transformers' Trainer adds to the end of its log."""


def finetune(
    own: ModuleType,
    train: Sequence[Path],
    dev: Sequence[Path],
    out: Path,
    settings: FineTuning,
    reading: Reading | None = None,
) -> None:
    """Train on `train`, choose the checkpoint on `dev`, write the folder `out`.

    Parameters
    ----------
    own : module
        What is the architecture's own.
    train, dev : sequences of Path
        Cell files.
    out : Path
        A stock PEFT folder (with `settings.full`, a stock checkpoint), README.md,
        supervised_tokens.json and curve.json. It is there when all of it is.
    settings : FineTuning
    reading : future or None
        Of the weights of the checkpoint, as of `load_model`.

    Raises
    ------
    ValueError
        If the data, the settings or the checkpoint cannot be used, or the loss is not finite: the
        message is one line.
    """
    processes = Processes.join(settings.processes, settings.device)
    trials = {
        "train": read_train(train, settings.clips),
        "dev": read_dev(dev, settings.dev_clips),
    }
    device = choose_device(settings.device)
    if settings.quantization is not None and device.type == "cpu":
        raise ValueError("quantization: LoRA on quantised weights needs a GPU")
    about = settings.model, settings.revision, device, settings.quantization
    lm = load_model(own.MODEL_CLASS, *about, reading)
    with _checkpoint_folder(settings, trials, processes) as folder:
        run = Run(own, lm, settings, trials)
        supervised = run.supervised_tokens()
        if processes.is_first:
            print(f"supervised tokens of the first example: {supervised['tokens']}", flush=True)
        log = trained(run, folder, processes)
        if processes.is_first:
            card = model_card(run.settings, trials, log, processes.count)
            _write(Path(out), run, supervised, log, card)
        processes.wait()
    processes.leave()


class Run:
    """Parts of one training run.

    Parameters
    ----------
    own : module
        What is the architecture's own.
    lm : transformers model
        It is changed: PEFT puts its layers into it.
    settings : FineTuning
    trials : dict of DataFrame
        ``train`` and ``dev``.
    """

    def __init__(
        self, own: ModuleType, lm: Any, settings: FineTuning, trials: dict[str, pd.DataFrame]
    ):
        self.own, self.settings = own, settings
        chat, extractor = own.load_processor(
            located(settings.model, settings.revision),
            settings.revision,
            own.audio_token_id(lm.config),
        )
        chat = replace(chat, system=settings.system)
        self.tokenizer = chat.tokenizer
        self.answers = chat.answer_tokens().ids
        questions = [chat.question(prompt) for prompt in settings.prompts]
        transformers.set_seed(settings.seed)  # of the adapter's first weights
        self.model = AnswerModel(own, adapted(own, lm, settings), self.answers)
        tokens = self.model.tower.tokens
        about = (questions, self.answers, chat.audio_token_id, chat.end_of_turn(), tokens)
        self.collate, self.collate_dev = Collator(*about, settings.loss), Collator(*about, "answer")
        mel = LogMel(extractor, torch.device("cpu"), own.TAIL, own.EDGE)
        self.clips = {
            split: [
                example(from_flac_bytes(audio), label, mel, tokens)
                for label, audio in zip(rows["label"], rows["audio"], strict=True)
            ]
            for split, rows in trials.items()
        }

    @cached_property
    def packed(self) -> PackedModel | None:
        """The model for packed batches, where there can be one."""
        return packed_model(self.own, self.model, self.settings)

    @property
    def steps(self) -> int:
        """Optimizer steps."""
        if self.settings.steps is not None:
            return self.settings.steps
        return math.ceil(self.settings.epochs * len(self.clips["train"]) / self.settings.step_clips)

    def supervised_tokens(self) -> dict[str, Any]:
        """Return what is supervised in the first training clip.

        Raises
        ------
        ValueError
            If the loss is `answer` and this is not exactly the answer.
        """
        first = self.clips["train"][0]
        ids, labels = self.collate.sequence(first, 0)
        places = [i for i, label in enumerate(labels) if label != IGNORED]
        if self.settings.loss == "answer":
            for clip in self.clips["train"]:
                check_one_answer(self.collate.sequence(clip, 0)[1], self.answers)
        return {
            "loss": self.settings.loss,
            "tokens_of_the_example": len(ids),
            "supervised": len(places),
            "tokens": [self.tokenizer.convert_ids_to_tokens(ids[i]) for i in places],
            "ids": [ids[i] for i in places],
            "positions": places,
        }

    def trainer(
        self, folder: Path, resumed: bool = False, processes: Processes = ALONE
    ) -> AnswerTrainer:
        """Return the Trainer of this run."""
        settings = self.settings
        augment = None if settings.spec_augment is None else SpecAugment(**settings.spec_augment)
        count = self.steps * settings.step_clips
        prompts = len(settings.prompts)
        draws = Draws(self.clips["train"], count, prompts, augment, settings.seed)
        return AnswerTrainer(
            self.model,
            draws,
            self.clips["dev"],
            self.collate,
            self.collate_dev,
            settings,
            self.steps,
            folder,
            resumed,
            processes,
            self.packed,
        )


def check_one_answer(labels: Sequence[int], answers: Sequence[int]) -> None:
    """Raise a ValueError unless the last label is an answer and the only one."""
    supervised = [label for label in labels if label != IGNORED]
    if len(supervised) != 1 or labels[-1] not in answers:
        raise ValueError(
            f"loss 'answer' is to supervise the one answer token, and supervises {len(supervised)} "
            f"tokens: {supervised[:5]}"
        )


@contextmanager
def _checkpoint_folder(
    settings: FineTuning, trials: dict[str, pd.DataFrame], processes: Processes
) -> Iterator[Path]:
    """Yield the folder for the checkpoints of this very run; it is removed at the end."""
    if settings.checkpoints is None:
        with tempfile.TemporaryDirectory() as own:
            yield Path(processes.shared(own))
            processes.wait()
        return
    identity = {
        "settings": settings.result(),
        "model": content_hash(Path(settings.model)) if os.path.isdir(settings.model) else "",
        "data": {split: data_hash(rows) for split, rows in trials.items()},
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode())
    folder = Path(settings.checkpoints) / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if processes.is_first:
        shutil.rmtree(folder)


def data_hash(trials: pd.DataFrame) -> str:
    """Hash the clips of a split and their labels, in order."""
    digest = hashlib.sha256()
    for name, label, audio in zip(
        trials["trial_id"], trials["label"], trials["audio"], strict=True
    ):
        digest.update(f"{name}|{label}|".encode() + hashlib.sha256(audio).digest())
    return digest.hexdigest()[:16]


def _write(
    out: Path, run: Run, supervised: dict[str, Any], log: list[dict[str, Any]], card: str
) -> None:
    """Write all files beside `out` and move them there at once."""
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    run.model.lm.save_pretrained(unfinished)
    if (unfinished / CONFIG).exists():
        in_order(unfinished / CONFIG)
    # No two runs are as fast, and the bytes of the folder are to be the same.
    timed = (SPEED, EVALUATION_SECONDS)
    speed = [
        {key: entry[key] for key in ("step", *timed) if key in entry}
        for entry in log
        if any(key in entry for key in timed)
    ]
    out.with_name(f"{out.name}.speed.json").write_text(json.dumps(speed, indent=1) + "\n")
    curve = [
        {
            key: of
            for key, of in entry.items()
            if key not in timed and not key.endswith(TIMED_BY_TRAINER)
        }
        for entry in log
    ]
    for name, content in (("supervised_tokens", supervised), ("curve", curve)):
        (unfinished / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    (unfinished / "README.md").write_text(card, encoding="utf-8")
    if out.exists():
        shutil.rmtree(out)
    unfinished.rename(out)


def in_order(config: Path) -> None:
    """Sort the lists of an adapter's configuration, which PEFT makes of sets, and its keys.

    The bytes of the folder say which scores belong to the adapter; one that is trained again is the
    same.
    """
    content = json.loads(config.read_text())
    for key, value in content.items():
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            content[key] = sorted(value)
    config.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
