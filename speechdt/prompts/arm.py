"""Arm of a search: the optimiser or its random control, with its candidates and costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from speechdt import seeds
from speechdt.prompts.candidates import Candidates
from speechdt.prompts.judge import describe
from speechdt.prompts.proposers.contract import ProposerError
from speechdt.prompts.race import Track

Recall = Callable[[str, Callable[[], list[str]]], list[str]]
"""Returns what was proposed under a name before, or else what the function proposes now."""


@dataclass
class Arm:
    """One of the two searches.

    Attributes
    ----------
    name : str
    track : Track
        Judges its prompts.
    seed : int
    recall : callable
        Remembers what was proposed, so that a killed search goes on where it was.
    steps : dict of str to int
        The step at which each prompt was proposed; 0 for those that it started from.
    failures : list of str
        Why the proposer gave no answer, each time.
    candidates : Candidates
        Takes what is proposed.
    """

    name: str
    track: Track
    seed: int
    recall: Recall
    steps: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    candidates: Candidates = field(default_factory=Candidates)

    def start(self, prompts: Sequence[str]) -> None:
        """Judge the prompts to start from on all clips."""
        for prompt in dict.fromkeys([self.track.baseline, *prompts]):
            self.candidates.take(prompt)
        self.steps.update(dict.fromkeys(prompts, 0))
        self.track.hear_all(prompts)

    def fresh(
        self, step: int, count: int, attempts: int, propose: Callable[[int, int], list[str]]
    ) -> list[str]:
        """Return new, well-formed prompts of a step, as many as come of so many attempts.

        Parameters
        ----------
        step, count, attempts : int
        propose : callable
            From how many prompts are wanted and a seed to texts.
        """
        taken: list[str] = []
        for attempt in range(attempts):
            wanted = count - len(taken)
            if not wanted:
                break
            taken += self._proposed(f"{self.name} {step} {attempt}", wanted, propose)
        self.steps.update(dict.fromkeys(taken, step))
        return taken

    def _proposed(
        self, turn: str, count: int, propose: Callable[[int, int], list[str]]
    ) -> list[str]:
        own_seed = int(seeds.generator(self.seed, "proposals", turn).integers(2**31))
        try:
            texts = self.recall(turn, lambda: propose(count, own_seed))
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
