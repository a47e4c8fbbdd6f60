"""Search for a prompt: propose, race, tell the proposer what came of it, and again.

Optimisation by prompting (Yang et al. 2023, arXiv 2309.03409), with three things that it lacks: an
objective that no shift of all answers can improve, gains that are paired with the baseline and
have an interval over groups of clips, and a control. The control is a random search: the same
proposer, told nothing of what was tried, races as many candidates at each step over the same
clips, so it asks as many questions. What the search gains over it is what searching is worth; the
rest is the luck of trying many prompts.

No model is known here: questions are answered by `ask`, prompts come from `proposer`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from speechdt import seeds
from speechdt.candidates import Candidates
from speechdt.judging import Judge, describe
from speechdt.proposers import Proposer, ProposerError, Tried
from speechdt.racing import Ask, Indices, Track
from speechdt.search_settings import Budget

Recall = Callable[[str, Callable[[], list[str]]], list[str]]
"""Returns what was proposed under a name before, or else what the function proposes now."""

ARMS = ("search", "control")


@dataclass
class Arm:
    """One of the two searches.

    Attributes
    ----------
    name : str
    track : Track
        Judges its prompts.
    informed : bool
        Whether its proposer is told what was tried.
    steps : dict of str to int
        The step at which each prompt was proposed; 0 for those that it started from.
    counts : list of int
        Candidates of each step.
    failures : list of str
        Why the proposer gave no answer, each time.
    """

    name: str
    track: Track
    informed: bool
    steps: dict[str, int] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    candidates: Candidates = field(default_factory=Candidates)

    def start(self, prompts: Sequence[str]) -> None:
        """Judge the prompts to start from on all clips."""
        for prompt in dict.fromkeys([self.track.baseline, *prompts]):
            self.candidates.take(prompt)
        self.steps.update(dict.fromkeys(prompts, 0))
        self.track.hear_all(prompts)

    def run(
        self, proposer: Proposer, counts: Sequence[int], attempts: int, seed: int, recall: Recall
    ) -> None:
        """Race so many candidates at each step; a step that brings none is the last."""
        for step, wanted in enumerate(counts, start=1):
            fresh: list[str] = []
            for attempt in range(attempts):
                if len(fresh) == wanted:
                    break
                turn = f"{self.name} {step} {attempt}"
                fresh += self._proposed(turn, proposer, wanted - len(fresh), seed, recall)
            if not fresh:
                return
            self.counts.append(len(fresh))
            self.steps.update(dict.fromkeys(fresh, step))
            self.track.race(fresh, first=step - 1)

    def _proposed(
        self, turn: str, proposer: Proposer, count: int, seed: int, recall: Recall
    ) -> list[str]:
        """Return new, well-formed prompts, at most `count`."""
        tried = history(self.track) if self.informed else []
        own_seed = int(seeds.generator(seed, "proposals", turn).integers(2**31))
        try:
            texts = recall(turn, lambda: proposer.propose(tried, count, own_seed))
        except ProposerError as error:
            self.failures.append(str(error))
            return []
        taken: list[str] = []
        for text in texts:
            prompt = self.candidates.take(text) if len(taken) < count else None
            if prompt is not None:
                taken.append(prompt)
        return taken

    def result(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return winner, candidates and what it cost, as they stand in the file."""
        verdicts = {self.track.baseline: self.track.of_baseline, **self.track.verdicts}

        def entry(prompt: str) -> dict[str, Any]:
            named = {"name": names.get(prompt), "step": self.steps.get(prompt, 0)}
            return {"prompt": prompt, **named, **describe(verdicts[prompt])}

        return {
            "winner": entry(self.track.winner),
            "candidates": [entry(prompt) for prompt in self.track.verdicts],
            "pairs": self.track.pairs,
            "rejected": {
                "duplicates": self.candidates.duplicates,
                "malformed": self.candidates.malformed,
            },
            "failures": self.failures,
        }


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

    Returns
    -------
    dict
        Content of ``prompts/{search}.json`` that is known here: baseline, candidates, winner,
        rejected, failures and pairs of the search; the same of the random search in ``control``.
    """
    names = {prompt: name for name, prompt in start.items()}
    arms = [Arm(name, Track(ask, judge, baseline, blocks), name == "search") for name in ARMS]
    counts = [budget.candidates] * budget.steps
    for arm in arms:
        arm.start(list(names))
        arm.run(proposer, counts, budget.attempts, seed, recall)
        counts = arm.counts  # the control tries as many at each step
    found, control = (arm.result(names) for arm in arms)
    of_baseline = describe(arms[0].track.of_baseline)
    return {"baseline": {"prompt": baseline, **of_baseline}, **found, "control": control}


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
