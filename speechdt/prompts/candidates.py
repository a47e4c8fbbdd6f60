"""Acceptance of proposed prompts: new, in A/B format, clear and short enough."""

import re
from collections.abc import Iterable

from speechdt.prompts.answer_options import LETTERS, option_texts

MOST_CHARACTERS = 600
"""Longest prompt: the longest of the plan's (docs/plan.md) has some 200."""
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
_SPECIAL = re.compile(r"<\|.*?\|>")


class Malformed(ValueError):
    """A text that is no prompt; the message is one line that says why."""


class Candidates:
    """Takes each prompt once, and counts what it turns away.

    Parameters
    ----------
    previous : iterable of str
        Prompts that are no longer new.

    Attributes
    ----------
    duplicates, malformed : int
    """

    def __init__(self, previous: Iterable[str] = ()):
        self._previous = {_folded(prompt) for prompt in previous}
        self.duplicates = self.malformed = 0

    def take(self, text: str) -> str | None:
        """Return the prompt, tidied, if it is new and well formed."""
        try:
            prompt = tidied(text)
        except Malformed:
            self.malformed += 1
            return None
        if _folded(prompt) in self._previous:
            self.duplicates += 1
            return None
        self._previous.add(_folded(prompt))
        return prompt


def tidied(text: str) -> str:
    """Return a prompt without white space at its ends and at the ends of its lines.

    Raises
    ------
    Malformed
        If it is too long, holds tokens of a chat format, or has not exactly one line for each of
        the options A and B, A first, with texts of their own.
    """
    text = text.strip()
    fenced = _FENCE.match(text)
    lines = (fenced[1] if fenced else text).strip().splitlines()
    prompt = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines))
    if len(prompt) > MOST_CHARACTERS:
        raise Malformed(f"{len(prompt)} characters, and at most {MOST_CHARACTERS} are taken")
    if _SPECIAL.search(prompt):
        raise Malformed("it holds tokens of a chat format")
    try:
        options = option_texts(prompt)
    except ValueError as error:
        raise Malformed("it needs one line 'A) ...' and one line 'B) ...'") from error
    if list(options) != list(LETTERS):
        raise Malformed("option B stands before option A")
    if options["A"].casefold() == options["B"].casefold():
        raise Malformed("both options say the same")
    return prompt


def _folded(prompt: str) -> str:
    """Return what two prompts share that differ in white space alone."""
    return " ".join(prompt.split())
