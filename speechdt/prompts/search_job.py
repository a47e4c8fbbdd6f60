"""Prompt searches on cell files, and the scores of the prompts that a search found."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from speechdt.arrays import Bools
from speechdt.detectors import call
from speechdt.detectors.hearing import Built, Hearing
from speechdt.detectors.plugins import find_detectors
from speechdt.errors import SpeechdtError
from speechdt.prompts.answer_store import PromptStore
from speechdt.prompts.arm import Recall
from speechdt.prompts.asking import PromptTrials, prompt_store
from speechdt.prompts.bank import ask_bank, bank_table, best_of_bank, each_order
from speechdt.prompts.comparison import PROMPTS
from speechdt.prompts.judge import Judge
from speechdt.prompts.opro import search
from speechdt.prompts.proposers.contract import Proposer, ProposerError
from speechdt.prompts.proposers.template import TemplateProposer
from speechdt.prompts.proposers.writer import Writer
from speechdt.prompts.race import blocks
from speechdt.prompts.settings import SearchSettings

Write: TypeAlias = Callable[[str, int], str]
"""From a text and a seed to the reply of a language model."""


@dataclass(frozen=True)
class AskedDetector(Hearing):
    """A detector that is asked in words, and how it hears."""

    def run_scores(self, results: Path, prompt: str) -> Path:
        """Return the store of a run that hears the same, and whose prompt is this one."""
        options = dict(self.options) | {"prompt": prompt}
        return results / "cache" / "scores" / replace(self, options=options).store_name()

    def store(self, results: Path) -> PromptStore:
        """Open the store of its answers below the folder of results."""
        return prompt_store(results, self)


def score_bank(
    cells: Sequence[Path | str],
    detector: AskedDetector,
    *,
    search: str,
    prompts: Mapping[str, Any],
    baseline: str,
    audio_gib: float,
    results: Path,
    replicates: int,
    seed: int,
    built: Built = call.built,
) -> pd.DataFrame:
    """Ask a detector with every prompt of the bank.

    Parameters
    ----------
    cells : sequence of paths
        Cell files of dev.
    detector : AskedDetector
    search : str
        Its name: answers of parts of this job are taken over.
    prompts : mapping
        The prompts of the bank by name.
    baseline : str
        Name of that which the others are compared with.
    audio_gib : float
        Memory for encoded audio.
    results : Path
        Folder of results, in which answers are kept.
    replicates, seed : int
        Of the bootstrap.
    built : callable
        What builds the detector.

    Returns
    -------
    DataFrame
        From `bank.bank_table`.
    """
    asked, both = each_order(detector)
    store = prompt_store(results, asked, search)
    trials = PromptTrials(cells, lambda: asked.build(built), store, audio_gib)
    answers, orders = ask_bank(trials.ask_all, prompts, both=both)
    return bank_table(trials.table, answers, orders, baseline, replicates=replicates, seed=seed)


def search_prompts(
    cells: Sequence[Path | str],
    detector: AskedDetector,
    *,
    bank: pd.DataFrame,
    prompts: Mapping[str, Any],
    settings: SearchSettings,
    results: Path,
    seed: int,
    local: Callable[..., Write] | None = None,
    built: Built = call.built,
) -> dict[str, Any]:
    """Search for a prompt, and at random as well.

    Parameters
    ----------
    cells : sequence of paths
        Cell files of dev.
    detector : AskedDetector
        Its option ``prompt`` is the baseline.
    bank, prompts : DataFrame, and mapping
        From `bank.bank_table`, and the prompts of the bank by name.
    settings : SearchSettings
    results : Path
        Folder of results, in which answers and proposals are kept.
    seed : int
    local, built : callables
        Build the writer of the proposer ``local`` from its options, and the detector.

    Returns
    -------
    dict
        Content of ``prompts/{search}.json`` but for the names of the search and of the model.

    Raises
    ------
    ProposerError
        If nothing was proposed.
    """
    began = time.perf_counter()
    store, baseline = detector.store(results), detector.options["prompt"]
    trials = PromptTrials(cells, lambda: detector.build(built), store, settings.audio_gib)
    start = best_of_bank(bank, prompts, settings.objective, settings.start)
    columns = _columns(trials.table)
    outcome = search(
        ask=trials.ask,
        judge=Judge(*columns, settings.objective, settings.replicates, seed),
        blocks=blocks(*columns, seed),
        baseline=baseline,
        start=start,
        proposer=_proposer(settings, trials, local),
        budget=settings.budget,
        seed=seed,
        recall=_recall(store, settings, [settings, seed, baseline, start, trials.keys]),
        optimizer=settings.optimizer,
        descriptions=trials.in_words(),
    )
    if outcome["failures"] and not any(entry["step"] for entry in outcome["candidates"]):
        raise ProposerError(f"nothing was proposed: {outcome['failures'][-1]}")
    return _described(settings) | outcome | {"costs": _costs(trials, began)}


def _columns(trials: pd.DataFrame) -> tuple[Bools, pd.Series, pd.Series]:
    """Return of each clip whether it is speech, its item and its group."""
    return (trials["label"] == "SPEECH").to_numpy(), trials["item_id"], trials["group_id"]


def _described(settings: SearchSettings) -> dict[str, Any]:
    return {
        "objective": settings.objective,
        "optimizer": settings.optimizer,
        "proposer": settings.kind,
        "split": "dev",
    }


def _costs(trials: PromptTrials, began: float) -> dict[str, Any]:
    return {
        "clips": len(trials.table),
        "groups": int(trials.table["group_id"].nunique()),
        "tower_passes": trials.tower_passes,
        "pairs_asked": trials.ask.asked,
        "seconds": round(time.perf_counter() - began, 1),
    }


def _proposer(
    settings: SearchSettings, trials: PromptTrials, local: Callable[..., Write] | None
) -> Proposer:
    options = settings.proposer_options
    if settings.kind == "template":
        return TemplateProposer()
    if settings.kind == "self":
        return Writer(lambda text, seed: trials.detector.generate(text, seed, **options))
    if settings.kind == "openai":
        return Writer(settings.server())
    if local is None:
        raise ValueError("proposer 'local' needs a writer")
    return Writer(local(**options))


def _recall(store: PromptStore, settings: SearchSettings, causes: Sequence[Any]) -> Recall:
    """Return a memory of proposals; none for those that are the same each time anyway.

    Proposals depend on scores, hence on the clips too.
    """
    if settings.kind == "template":
        return lambda _turn, propose: propose()
    own = hashlib.sha256(repr(causes).encode()).hexdigest()[:16]
    return lambda turn, propose: store.proposals(f"{own} {turn}", propose)


def score_found(
    outcome: Mapping[str, Any],
    cells: Mapping[str, Sequence[Path | str]],
    detector: AskedDetector,
    results: Path,
    built: Built = call.built,
    *,
    after_runs: bool = False,
) -> pd.DataFrame:
    """Score trials with the prompts of a search: baseline, winner, and winner of the control.

    Parameters
    ----------
    outcome : mapping
        Content of ``prompts/{search}.json``.
    cells : mapping of str to sequence of paths
        Cell files by split.
    detector : AskedDetector
    results : Path
        Folder of results, in which answers are kept.
    built : callable
        What builds the detector.
    after_runs : bool
        Whether runs have been scored before, by the same job: what one of them was asked is not
        asked again.

    Returns
    -------
    DataFrame
        The trials (`asking.COLUMNS`), split, and P(speech) by each of `comparison.PROMPTS`.
    """
    prompts = [outcome[name]["prompt"] for name in ("baseline", "winner")]
    prompts.append(outcome["control"]["winner"]["prompt"])
    build = cache(lambda: detector.build(built))  # for all splits, and not if all answers are known
    store = detector.store(results)
    parts = []
    for split, files in cells.items():
        trials = PromptTrials(files, build, store)
        for prompt in dict.fromkeys(prompts) if after_runs else ():
            trials.take_over(prompt, detector.run_scores(results, prompt))
        answers = dict(zip(PROMPTS, trials.ask_all(prompts), strict=True))
        parts.append(trials.table.assign(split=split, **answers))
    return pd.concat(parts, ignore_index=True)


def score_winners(
    searches: Mapping[str, Mapping[str, Any]],
    search_files: Mapping[str, Path | str],
    choices: Mapping[str, Path | str],
    cells: Mapping[str, Sequence[Path | str]],
    results: Path,
    built: Built,
) -> list[str]:
    """Score trials with the prompts of several searches, after the runs on their base.

    One that fails holds up no other.

    Parameters
    ----------
    searches : mapping of str to mapping
        Of each: backend, options, presentation, and chooser, the run for which dev chose, or None.
    search_files : mapping of str to path
        ``prompts/{search}.json``.
    choices : mapping of str to path
        ``choices/{run}.json``.
    cells, results, built
        As for :func:`score_found`.

    Returns
    -------
    list of str
        What went wrong, a line each.
    """
    failures = []
    for name, of in searches.items():
        choice = [choices[run] for run in (of["chooser"],) if run in choices]
        cls = find_detectors()[of["backend"]]
        detector = AskedDetector.of_run(
            of["backend"], cls, of["options"], of["presentation"], choice
        )
        try:
            search = json.loads(Path(search_files[name]).read_text())
            score_found(search, cells, detector, results, built, after_runs=True)
        except SpeechdtError as error:
            failures.append(f"searches.{name}: {error}")
    return failures
