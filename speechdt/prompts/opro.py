"""Prompt search by OPRO: propose, race, report to the proposer, repeat.

Optimisation by prompting (Yang et al. 2023, arXiv 2309.03409), with three things that it lacks: an
objective that no shift of all answers can improve, gains that are paired with the baseline and
have an interval over groups of clips, and a control. The control is a random search: the same
proposer, without the scores of what was tried, races as many candidates at each step over the same
clips, so it asks as many questions. What the search gains over it is what searching is worth; the
rest is the luck of trying many prompts.

GEPA (`speechdt.prompts.gepa`) may take the place of proposing and racing; its control is the same.

No model is known here: questions are answered by `ask`, prompts come from `proposer`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from speechdt.arrays import Indices
from speechdt.prompts.arm import Arm, Recall
from speechdt.prompts.gepa import evolve
from speechdt.prompts.judge import Judge, describe
from speechdt.prompts.proposers.contract import Proposer, Tried
from speechdt.prompts.race import Ask, Track
from speechdt.prompts.settings import Budget


def search(
    *,
    ask: Ask,
    judge: Judge,
    blocks: Sequence[Indices],
    baseline: str,
    start: Mapping[str, str],
    proposer: Proposer,
    budget: Budget,
    seed: int,
    recall: Recall = lambda _name, propose: propose(),
    optimizer: str = "opro",
    descriptions: Sequence[str] = (),
) -> dict[str, Any]:
    """Search, and search at random as well.

    Parameters
    ----------
    ask : callable
        Returns P(speech), (prompts, clips), of prompts about clips by number.
    judge : Judge
        Knows the clips.
    blocks : sequence of int arrays
        From `racing.blocks`.
    baseline : str
        The prompt that gains are measured against.
    start : mapping of str to str
        Prompts to start from, by name.
    proposer : Proposer
    budget : Budget
    seed : int
    recall : callable
        Remembers what was proposed, so that a killed search goes on where it was.
    optimizer : {'opro', 'gepa'}
    descriptions : sequence of str, (clips,)
        What each clip is, in words; GEPA tells the proposer which ones a prompt fails on.

    Returns
    -------
    dict
        Content of ``prompts/{search}.json`` that is known here: baseline, candidates, winner,
        rejected, failures and pairs of the search; the same of the random search in ``control``.
    """
    names = {prompt: name for name, prompt in start.items()}
    own, random = (
        Arm(name, Track(ask, judge, baseline, blocks), seed, recall)
        for name in ("search", "control")
    )
    for arm in (own, random):
        arm.start(list(names))
    counts = [budget.candidates] * budget.steps
    if optimizer == "gepa":
        race_steps(random, proposer, counts, budget.attempts, informed=False)
        evolve(own, proposer, budget.attempts, random.track.pairs, descriptions)
    else:
        counts = race_steps(own, proposer, counts, budget.attempts, informed=True)
        race_steps(random, proposer, counts, budget.attempts, informed=False)
    result, control = (arm.result(names) for arm in (own, random))
    of_baseline = describe(own.track.of_baseline)
    return {"baseline": {"prompt": baseline, **of_baseline}, **result, "control": control}


def race_steps(
    arm: Arm, proposer: Proposer, counts: Sequence[int], attempts: int, informed: bool
) -> list[int]:
    """Race so many candidates at each step; a step that brings none is the last.

    Parameters
    ----------
    arm : Arm
    proposer : Proposer
    counts : sequence of int
        Candidates of each step.
    attempts : int
        Times that a step may ask the proposer until it has its candidates.
    informed : bool
        Whether the proposer is told what was tried.

    Returns
    -------
    list of int
        Candidates that each step had.
    """
    raced: list[int] = []
    for step, wanted in enumerate(counts, start=1):
        tried = history(arm.track) if informed else []
        propose = partial(proposer.propose, tried)
        fresh = arm.fresh(step, wanted, attempts, propose)
        if not fresh:
            break
        raced.append(len(fresh))
        arm.track.race(fresh, first=step - 1)
    return raced


def history(track: Track) -> list[Tried]:
    """Return what was tried, scored from 0 to 100.

    A prompt that dropped out heard other clips than one that did not, so scores are that of the
    baseline on all clips and the gain over it. The log-loss is shown as the geometric mean of the
    probability that was given to the truth.
    """
    sign = track.sign
    base = sign * track.of_baseline.score
    shown = np.exp if sign < 0 else float
    return [
        Tried(prompt, 100 * float(shown(base + verdict.gain)), verdict.clips / track.size)
        for prompt, verdict in {track.baseline: track.of_baseline, **track.verdicts}.items()
    ]
