"""Texts of several questions as one tree of tokens, in which a common beginning stands once.

A decoder that lets each token see its own ancestors alone, at the position that its depth gives,
computes for every text what it would compute for that text by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from .question import Question
from .transfer import on_device


@dataclass(frozen=True)
class Order:
    """Order of the tokens of a clip: the ones that each follows.

    Attributes
    ----------
    depths : int tensor, (tokens,)
        Tokens that stand before each.
    sees : bool tensor, (tokens, tokens)
        Which ones these are, and itself.
    answers : int tensor, (answers,)
        Places of the tokens behind which is answered.
    longest : int
        Tokens of the longest text.
    """

    depths: Tensor
    sees: Tensor
    answers: Tensor
    longest: int


@dataclass
class QuestionTree:
    """Tokens of some texts, each before those that follow it.

    Attributes
    ----------
    ids : list of int
        The tokens.
    parents : list of int
        Place of the token before each; -1 for none.
    depths : list of int
        Tokens before each.
    texts : list of int
        Numbers of the texts that are in here.
    ends : list of int
        Place of the last token of each of `texts`.
    """

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    texts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    _places: dict[tuple[int, int], int] = field(default_factory=dict)

    def grown_by(self, text: Sequence[int]) -> int:
        """Return how many tokens a text would add."""
        place = -1
        for depth, token in enumerate(text):
            if (place, token) not in self._places:
                return len(text) - depth
            place = self._places[place, token]
        return 0

    def add(self, number: int, text: Sequence[int]) -> None:
        """Add a text under its number."""
        place = -1
        for depth, token in enumerate(text):
            if (place, token) not in self._places:
                self._places[place, token] = len(self.ids)
                self.ids.append(token)
                self.parents.append(place)
                self.depths.append(depth)
            place = self._places[place, token]
        self.texts.append(number)
        self.ends.append(place)

    def behind(self, audio: int, device: torch.device) -> Order:
        """Return the order of so many tokens of audio and of this tree behind them."""
        depths = torch.tensor([*range(audio), *(audio + depth for depth in self.depths)])
        sees = torch.zeros(len(depths), len(depths), dtype=torch.bool)
        sees[:audio, :audio] = torch.ones(audio, audio, dtype=torch.bool).tril()
        sees[audio:, :audio] = True
        sees[audio:, audio:] = self._follows
        answers = torch.tensor(self.ends) + audio
        longest = audio + max(self.depths) + 1
        placed = (on_device(part, device) for part in (depths, sees, answers))
        return Order(*placed, longest)

    @cached_property
    def _follows(self) -> Tensor:
        """Which tokens each one follows, itself among them, bool (tokens, tokens)."""
        follows = torch.eye(len(self.ids), dtype=torch.bool)
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                follows[place] |= follows[parent]
        return follows


def question_trees(
    questions: Sequence[Question], most: int
) -> Iterator[tuple[tuple[int, ...], QuestionTree]]:
    """Yield trees of what stands behind the audio, and what stands before it.

    Parameters
    ----------
    questions : sequence of Question
    most : int
        Tokens of a tree, unless one question has more.
    """
    tree, before = QuestionTree(), None
    # In this order, questions that begin alike are neighbours.
    for number in sorted(range(len(questions)), key=lambda i: _sorted_by(questions[i])):
        question = questions[number]
        full = len(tree.ids) + tree.grown_by(question.after) > most
        if before is not None and (full or question.before != before):
            yield before, tree
            tree = QuestionTree()
        before = question.before
        tree.add(number, question.after)
    if before is not None:
        yield before, tree


def _sorted_by(question: Question) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return question.before, question.after
