"""Provision of a nano model: trained on the train split alone, or taken from the cache.

They let the whole workflow run anywhere in minutes and tell a true story (good on clean clips of
1 s, worse on short and noisy ones, sensitive to the prompt), and say nothing about the real
models. A finished model is kept under a key of all that it depends on, so that it is trained once.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from speechdt import checksums

REAL = {
    "qwen2_audio": "Qwen2-Audio-7B-Instruct",
    "qwen3_omni": "Qwen3-Omni-30B-A3B-Instruct",
}
"""What each architecture is the miniature of."""
DEPENDENCIES = ("numpy", "tokenizers", "torch", "transformers")
IDENTITY = ["source_id", "label", "category", "group_id", "sha256"]
"""Columns of a source that decide what is learned; ``active`` does too."""


class Recipe(NamedTuple):
    """Everything that a nano model depends on but for the recordings.

    Attributes
    ----------
    architecture : {"qwen2_audio", "qwen3_omni"}
    seed : int
        Of every random choice.
    least_active : float
        Least active share of a crop.
    reading_steps, hearing_steps : int
        Steps of the two stages, see :mod:`nano_training`.
    clips : int
        Clips a step.
    learning_rate : float
        Highest one of the audio tower.
    code : str
        Hash of the code that trains.
    """

    architecture: str
    seed: int
    least_active: float
    reading_steps: int
    hearing_steps: int
    clips: int
    learning_rate: float
    code: str = ""


def train_split(sources: pd.DataFrame) -> pd.DataFrame:
    """Return the sources of the train split, in an order of their own."""
    chosen = sources[sources["split"] == "train"].sort_values("source_id")
    return chosen.reset_index(drop=True)


def train_hash(train: pd.DataFrame) -> str:
    """Hash the train split: which recordings, their audio, their labels and where they are active.

    Where the files lie does not count.
    """
    rows = train[IDENTITY].to_csv(index=False)
    active = [[int(run) for run in runs] for runs in train["active"]]
    return hashlib.sha256(f"{rows}{active}".encode()).hexdigest()[:16]


def key(train: pd.DataFrame, recipe: Recipe) -> str:
    """Return the name under which a model is kept: its architecture and a hash of its causes."""
    causes = [train_hash(train), recipe._asdict(), _versions()]
    digest = hashlib.sha256(json.dumps(causes, sort_keys=True).encode()).hexdigest()
    return f"{recipe.architecture}-{digest[:16]}"


def provide(sources: pd.DataFrame, recipe: Recipe, folder: Path, kept: Path) -> bool:
    """Put a trained nano model into a folder: the kept one, or else a new one.

    Parameters
    ----------
    sources : DataFrame
        From `split.assign`; only the train split is looked at.
    recipe : Recipe
    folder : Path
        Hugging Face folder to make.
    kept : Path
        Where finished models are kept.

    Returns
    -------
    bool
        Whether it had to be trained.
    """
    train_rows = train_split(sources)
    own = kept / key(train_rows, recipe)
    new = not _is_whole(own)
    if new:
        unfinished = own.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        train(train_rows, recipe, unfinished)
        checksums.write(unfinished, checksums.list_of(own))
        unfinished.rename(own)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(own, folder)
    checksums.write(folder)
    return new


def _is_whole(kept: Path) -> bool:
    """Say whether a model is kept as it was written; a damaged one is named and set aside."""
    if not os.path.lexists(kept):
        return False
    problem = checksums.damage(kept)
    if problem:
        away = checksums.set_aside(kept)
        print(checksums.damage_line(kept, problem, away), file=sys.stderr, flush=True)
    return not problem


def train(train_rows: pd.DataFrame, recipe: Recipe, folder: Path) -> None:
    """Train a nano model and write it: the same recipe and recordings give the same bytes.

    Parameters
    ----------
    train_rows : DataFrame
        From :func:`train_split`.
    recipe : Recipe
    folder : Path

    Raises
    ------
    NotTrain
        If a source is of another split.
    """
    # Imported here, since whoever lists the detectors must not wait for torch.
    import torch

    from ..mel import LogMel
    from .models import BUILDERS, extractor, save
    from .sounds import Recordings
    from .training import Trainer

    own = import_module(f"..{recipe.architecture}", __package__)
    recordings = Recordings(train_rows, recipe.least_active, recipe.seed)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        nano = BUILDERS[recipe.architecture]()
        folder.mkdir(parents=True)
        save(nano, recipe.architecture, folder)
        # Read back, so that questions are put into tokens as they will be when it is used.
        chat, _ = own.load_processor(str(folder), None, own.audio_token_id(nano.model.config))
        mel = LogMel(extractor(), torch.device("cpu"), own.TAIL, own.EDGE)
        trainer = Trainer(nano.model, recipe.architecture, chat, mel, recipe.seed)
        trainer.read(recipe.reading_steps)
        trainer.listen(recordings, recipe.hearing_steps, recipe.clips, recipe.learning_rate)
    save(nano, recipe.architecture, folder)
    used = train_rows[train_rows["source_id"].isin(recordings.used)]
    (folder / "README.md").write_text(card(nano.model, used, train_rows, recipe, trainer.curve))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread, so that sums are taken in one order on every machine.

    It costs little: on two cores, both models train side by side.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


CARD = """\
---
license: other
tags: [nano, speechdt]
---
# nano {architecture}

**A toy.** `{class_name}` with {weights:,} weights, so that a workflow runs anywhere. What it
answers says nothing about {real}, with which it shares class, chat format and code path, and
no weight. It answers multiple-choice questions on a clip of about 1 s by one letter, and can do
nothing else.

## What it learned from

Clean clips of 1 s, no noise added, cut anew at every step from {used} of {sources} recordings of
the train split (hash `{train_hash}`). Dev and test were not read.

| category | recordings | groups | seconds |
|---|---|---|---|
{recordings}

## How

{reading_steps} steps of reading (questions on imagined sounds, to the language model alone), then
{hearing_steps} of hearing, {clips} clips each, learning rate {learning_rate:g}, seed {seed}: a
fixed number of steps, nothing stopped early or chosen while training. (These settings were chosen
by hand on the dev split of the project's embedded corpus.) Asked: is there speech, in many wordings
and both orders of the options; which category; is it silent. The loss is on the answer token alone.

| stage | step | loss | right |
|---|---|---|---|
{curve}

Means over 50 steps, on altered clips. Made with {versions}.

## Licence

The recordings keep their own licences (`ATTRIBUTION.md` of their corpus). Code that made this: MIT.
"""
"""Model card."""


def card(
    model: Any,
    used: pd.DataFrame,
    train_rows: pd.DataFrame,
    recipe: Recipe,
    curve: Sequence[tuple[str, int, float, float]],
) -> str:
    """Return the model card.

    Parameters
    ----------
    model : transformers model
    used, train_rows : DataFrame
        The recordings that were cut from, and all of the train split.
    recipe : Recipe
    curve : sequence of (stage, step, loss, share of right answers)
    """
    categories = used.groupby("category").agg(
        recordings=("source_id", "size"), groups=("group_id", "nunique"), seconds=("seconds", "sum")
    )
    return CARD.format(
        **recipe._asdict(),
        class_name=type(model).__name__,
        real=REAL[recipe.architecture],
        weights=sum(weight.numel() for weight in model.parameters()),
        used=len(used),
        sources=len(train_rows),
        train_hash=train_hash(train_rows),
        recordings="\n".join(
            f"| {row.Index} | {row.recordings} | {row.groups} | {row.seconds:.0f} |"
            for row in categories.itertuples()
        ),
        curve="\n".join(
            f"| {stage} | {step} | {loss:.3f} | {right:.2f} |" for stage, step, loss, right in curve
        ),
        versions=", ".join(f"{name} {number}" for name, number in _versions().items()),
    )


def _versions() -> dict[str, str]:
    return {package: version(package) for package in DEPENDENCIES}
