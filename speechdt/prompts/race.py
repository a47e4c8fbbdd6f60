"""Race of candidates over blocks of clips: successive halving, finalists on all clips.

Successive halving (Jamieson & Talwalkar 2016, arXiv 1502.07943). What a race costs depends on the
number of candidates alone, so that two searches with the same numbers ask the same number of
questions.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from speechdt import seeds
from speechdt.arrays import Floats, Indices
from speechdt.prompts.judge import Judge, Verdict

Ask = Callable[[Sequence[str], Indices], Floats]
"""Returns P(speech), (prompts, clips), of some prompts about some clips."""

FEWEST_CLIPS, FEWEST_ITEMS = 100, 30
"""Of a block: no candidate is judged on fewer, since a group is decided by few items' luck."""
MOST_BLOCKS = 4
SHARES = 3
"""A rung hears one clip in so many of each item of its block: clips of an item are much alike."""


def blocks(speech: ArrayLike, items: ArrayLike, groups: ArrayLike, seed: int) -> list[Indices]:
    """Deal whole groups into blocks of about as many items, of both classes alike.

    Parameters
    ----------
    speech, items, groups : array_like, (clips,)
        Class, item and group of each clip.
    seed : int

    Returns
    -------
    list of int arrays
        The clips of each block; as many blocks as have at least `FEWEST_CLIPS` clips and
        `FEWEST_ITEMS` items each and two groups of each class, at most `MOST_BLOCKS`, at least one.
    """
    table = pd.DataFrame({"speech": speech, "item": items, "group": groups})
    for count in range(MOST_BLOCKS, 1, -1):
        block = table["group"].map(_dealt(table, count, seed))
        rows = [table[block == number] for number in range(count)]
        if all(_is_enough(part) for part in rows):
            return [part.index.to_numpy() for part in rows]
    return [np.arange(len(table))]


def _dealt(table: pd.DataFrame, count: int, seed: int) -> dict[str, int]:
    """Return the block of each group: largest groups first, each to the block that has least."""
    by_group = table.groupby("group").agg(speech=("speech", "max"), items=("item", "nunique"))
    by_group["rank"] = [seeds.rank(seed, "block", group) for group in by_group.index]
    dealt: dict[str, int] = {}
    held = np.zeros((2, count))
    by_group = by_group.sort_values(["items", "rank"], ascending=[False, True])
    for group, of_class, size in zip(
        by_group.index, by_group["speech"].astype(int), by_group["items"], strict=True
    ):
        place = int(np.lexsort((held.sum(axis=0), held[of_class]))[0])
        dealt[str(group)] = place
        held[of_class, place] += size
    return dealt


def _is_enough(part: pd.DataFrame) -> bool:
    groups = part.groupby("speech")["group"].nunique()
    return (
        len(part) >= FEWEST_CLIPS
        and part["item"].nunique() >= FEWEST_ITEMS
        and len(groups) == 2
        and bool(groups.min() >= 2)
    )


def shares(clip_blocks: Sequence[Indices], items: ArrayLike) -> list[list[Indices]]:
    """Share out the clips of each block, so that each share has all items in other cells.

    Parameters
    ----------
    clip_blocks : sequence of int arrays
        From :func:`blocks`.
    items : array_like, (clips,)
        Item of each clip.

    Returns
    -------
    list of lists of int arrays
        The shares of each block: `SHARES`, or one where they would be smaller than a block may be.
    """
    _, item = np.unique(np.asarray(items), return_inverse=True)
    turn = pd.Series(item).groupby(item).cumcount().to_numpy() + item
    shared = [[block[turn[block] % SHARES == i] for i in range(SHARES)] for block in clip_blocks]
    fewest_clips = min(len(share) for of_block in shared for share in of_block)
    fewest_items = min(len(np.unique(item[share])) for of_block in shared for share in of_block)
    if fewest_clips < FEWEST_CLIPS or fewest_items < FEWEST_ITEMS:
        return [[block] for block in clip_blocks]
    return shared


class Track:
    """Track of a race: the answers to its prompts, block of clips by block.

    Parameters
    ----------
    ask : callable
    judge : Judge
    baseline : str
        Prompt that every other one is judged against.
    clip_blocks : sequence of int arrays
        From :func:`blocks`.

    Attributes
    ----------
    judge : Judge
    size : int
        Number of clips.
    sign : int
        -1 if the objective is a loss.
    verdicts : dict of str to Verdict
        The latest of each prompt that raced here.
    of_baseline : Verdict
        That of the baseline, on all clips.
    pairs : int
        Prompts times clips that were asked, but for the baseline's.
    """

    def __init__(self, ask: Ask, judge: Judge, baseline: str, clip_blocks: Sequence[Indices]):
        self._ask, self.judge, self.baseline = ask, judge, baseline
        self.blocks = list(clip_blocks)
        self._shares = shares(self.blocks, judge.items)
        self.size = sum(map(len, self.blocks))
        self.sign = judge.objective.sign
        self.verdicts: dict[str, Verdict] = {}
        self.pairs = 0
        everything = np.arange(self.size)
        self._of_baseline = ask([baseline], everything)[0]
        self._answers = {baseline: self._of_baseline}
        (self.of_baseline,) = judge.judge(self._of_baseline[None], self._of_baseline, everything)

    def race(self, prompts: Sequence[str], first: int) -> None:
        """Race prompts, beginning with block `first`: half of them at least drop out at each.

        A share of each block is heard on the way; who is left hears the rest of all blocks.
        """
        left = list(prompts)
        clips_so_far: Indices = np.empty(0, dtype=np.int64)
        answers = np.empty((len(left), 0))
        for place, clips in enumerate(self._rungs(first)):
            if 0 < place < len(self.blocks):
                verdicts = [self.verdicts[prompt] for prompt in left]
                kept = better_half([verdict.gain for verdict in verdicts])
                left, answers = [left[i] for i in kept], answers[kept]
            answers = np.concatenate([answers, self._ask(left, clips)], axis=1)
            self.pairs += len(left) * len(clips)
            clips_so_far = np.concatenate([clips_so_far, clips])
            judged = self.judge.judge(answers, self._of_baseline[clips_so_far], clips_so_far)
            self.verdicts |= dict(zip(left, judged, strict=True))

    def _rungs(self, first: int) -> list[Indices]:
        """Return the clips of each rung: a share of each block, and the rest if there is any."""
        count = len(self.blocks)
        order = [self._shares[(first + i) % count] for i in range(count)]
        turn = first % len(order[0])
        rest = [share for own in order for i, share in enumerate(own) if i != turn]
        return [own[turn] for own in order] + ([np.concatenate(rest)] if rest else [])

    def hear(self, prompt: str, clips: Indices) -> Floats:
        """Return P(speech) of a prompt about clips, and judge it by all that it has heard.

        It is asked about no clip twice.
        """
        answers = self._answers.setdefault(prompt, np.full(self.size, np.nan))
        new = clips[np.isnan(answers[clips])]
        if len(new):
            answers[new] = self._ask([prompt], new)[0]
            self.pairs += len(new)
            clips_so_far = np.flatnonzero(~np.isnan(answers))
            (self.verdicts[prompt],) = self.judge.judge(
                answers[None, clips_so_far], self._of_baseline[clips_so_far], clips_so_far
            )
        return np.asarray(answers[clips])

    def hear_all(self, prompts: Sequence[str]) -> None:
        """Ask prompts about all clips, without a race."""
        if not prompts:
            return
        everything = np.arange(self.size)
        answers = self._ask(prompts, everything)
        self.pairs += answers.size
        self._answers |= dict(zip(prompts, answers, strict=True))
        judged = self.judge.judge(answers, self._of_baseline, everything)
        self.verdicts |= dict(zip(prompts, judged, strict=True))

    @property
    def winner(self) -> str:
        """The prompt whose gain over the baseline has the best pessimistic bound.

        Among those that were asked about all clips and gain on average; without any, the baseline.
        """
        finalists = {
            prompt: verdict
            for prompt, verdict in self.verdicts.items()
            if verdict.clips == self.size and verdict.gain > 0 and prompt != self.baseline
        }
        if not finalists:
            return self.baseline
        return max(finalists, key=lambda prompt: finalists[prompt].bound)


def better_half(gains: Sequence[float]) -> list[int]:
    """Return the places of the better half, at least one, in the order in which they stand."""
    count = max(1, len(gains) // 2)
    return sorted(sorted(range(len(gains)), key=lambda i: -gains[i])[:count])
