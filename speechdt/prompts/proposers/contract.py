"""The contract of proposers of prompts."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from speechdt.errors import SpeechdtError


class Tried(NamedTuple):
    """A prompt that was tried.

    Attributes
    ----------
    prompt : str
    score : float
        From 0 to 100; more is better, whatever is optimised.
    weight : float
        Share of the clips that the score rests on.
    """

    prompt: str
    score: float
    weight: float = 1.0


class Proposer(Protocol):
    """Proposes prompts."""

    def propose(self, tried: Sequence[Tried], count: int, seed: int) -> list[str]:
        """Return about `count` texts, the same ones for the same seed where that is possible.

        Raises
        ------
        ProposerError
            If nothing comes of it this time.
        """

    def revise(self, prompt: str, mistakes: Sequence[str], seed: int) -> list[str]:
        """Return a changed prompt, or none; `mistakes` says in words where this one errs.

        Raises
        ------
        ProposerError
            If nothing comes of it this time.
        """


class ProposerError(SpeechdtError):
    """A proposer gave no answer; the message is one line that says why."""
