"""Prompt search by reflective evolution: the library GEPA (Agrawal et al. 2025, arXiv 2507.19457).

GEPA changes one prompt at a time: it takes one of those that do best on some clip, shows the
proposer what that prompt gets wrong on a block of clips, and asks about all clips what does better
on the block than its parent. What is ours: blocks of whole groups instead of three clips, the
objective, and the budget, which is what the random search beside it asks. The winner is chosen as
everywhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from speechdt.arrays import Indices
from speechdt.prompts.arm import Arm
from speechdt.prompts.proposers.contract import Proposer

PART = "prompt"
"""GEPA evolves texts by name; this is the name of ours."""
MISTAKES = 8
"""Clips that the proposer is told of."""


def evolve(
    arm: Arm, proposer: Proposer, attempts: int, most_pairs: int, descriptions: Sequence[str]
) -> None:
    """Evolve prompts from the best one that the arm started from, or the baseline.

    Parameters
    ----------
    arm : Arm
        Has heard the prompts to start from.
    proposer : Proposer
    attempts : int
        Times that the proposer is asked until it brings a new prompt; none then ends it.
    most_pairs : int
        Prompts times clips that may be asked, the start among them.
    descriptions : sequence of str, (clips,)
        What each clip is, in words.
    """
    gepa: Any = import_module("gepa")  # an optional extra

    breeding = Breeding(arm, proposer, attempts, most_pairs, descriptions)
    clips = list(range(arm.track.size))
    gepa.optimize(
        seed_candidate={PART: arm.track.winner},
        trainset=clips,
        valset=clips,
        adapter=breeding,
        custom_candidate_proposer=breeding.changed,
        batch_sampler=breeding,
        stop_callbacks=breeding.is_over,
        skip_perfect_score=False,
        logger=breeding,
        seed=arm.seed,
    )


@dataclass
class Answers:
    """Evaluation of a prompt on some clips (GEPA's ``EvaluationBatch``).

    Attributes
    ----------
    outputs : list of float
        P(speech) of each clip.
    scores : list of float
        Contributions to the objective, whose mean is the objective itself.
    trajectories : list of (int, float, float), optional
        Clip, P(speech) and score.
    objective_scores : None
    num_metric_calls : int
        Clips that the prompt had not been asked about.
    """

    outputs: list[float]
    scores: list[float]
    trajectories: list[tuple[int, float, float]] | None
    num_metric_calls: int
    objective_scores: None = None


@dataclass
class Breeding:
    """Adapter for GEPA: scores, mistakes, new prompts, blocks of clips, and the end."""

    arm: Arm
    proposer: Proposer
    attempts: int
    most_pairs: int
    descriptions: Sequence[str]
    step: int = 0
    is_spent: bool = False
    propose_new_texts: None = None  # GEPA reads it; `changed` is handed over by itself

    def evaluate(
        self, batch: list[int], candidate: Mapping[str, str], capture_traces: bool = False
    ) -> Answers:
        """Ask a prompt about clips."""
        clips: Indices = np.asarray(batch)
        track = self.arm.track
        before = track.pairs
        answers = track.hear(candidate[PART], clips)
        scores = track.judge.contributions(answers, clips).tolist()
        traces = list(zip(batch, answers.tolist(), scores, strict=True)) if capture_traces else None
        return Answers(answers.tolist(), scores, traces, track.pairs - before)

    def make_reflective_dataset(
        self, candidate: Mapping[str, str], eval_batch: Answers, components_to_update: list[str]
    ) -> dict[str, list[dict[str, str]]]:
        """Return what the prompt is worst at, in words."""
        worst = sorted(eval_batch.trajectories or [], key=lambda answer: answer[2])[:MISTAKES]
        feedback = [
            {"Feedback": f"{self.descriptions[clip]}: answered A with a probability of {p:.2f}"}
            for clip, p, _ in worst
        ]
        return dict.fromkeys(components_to_update, feedback)

    def changed(
        self,
        candidate: Mapping[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """Return a changed prompt; the same one, which costs nothing, if the proposer has none."""
        self.step += 1
        mistakes = [str(record["Feedback"]) for record in reflective_dataset[PART]]
        parent = candidate[PART]

        def propose(_count: int, seed: int) -> list[str]:
            return self.proposer.revise(parent, mistakes, seed)

        fresh = self.arm.fresh(self.step, 1, self.attempts, propose)
        self.is_spent = not fresh
        return {PART: fresh[0] if fresh else parent}

    def next_minibatch_ids(self, _loader: Any, state: Any) -> list[int]:
        """Return the clips of the next block: whole groups, in turn."""
        blocks = self.arm.track.blocks
        return [int(clip) for clip in blocks[state.i % len(blocks)]]

    def is_over(self, _state: Any) -> bool:
        """Whether nothing new comes, or one more prompt might cost too much."""
        track = self.arm.track
        return self.is_spent or track.pairs + track.size > self.most_pairs

    def log(self, message: str) -> None:
        """Keep GEPA's own progress to itself: the search's file says it all."""
