"""Answer options of a question, in the spellings that people and language models use."""

import re
from itertools import zip_longest
from typing import Literal, NamedTuple

LETTERS = ("A", "B")
SpeechIs = Literal["A", "B"]
"""Letter of the option that stands for SPEECH."""
_BOLD = r"[*_]{0,2}"
_MARK = (
    rf"{_BOLD}[(\[（【［]?{_BOLD}(?P<letter>[A-Ha-h]){_BOLD}[ \t]*"
    rf"[)\]=.:）】］＝．：、]{{1,2}}{_BOLD}[ \t]*"
)
"""Letter and what sets it off: ``A)``, ``A.``, ``A:``, ``A =``, ``(A)``, ``[A]``, ``**A)**``, and
the full-width forms of these."""
_LINE = re.compile(rf"^[ \t]*(?:[-*•][ \t]+)?{_MARK}(?P<text>\S.*)$", re.MULTILINE)
_WITHIN = re.compile(rf"(?<![\w(\[（【［*]){_MARK}(?=\S)")
_TRAILING = re.compile(r"(?:[ \t,;/|.]|\b(?:or|and)\b)*$", re.IGNORECASE)
"""What separates options of one line, and is no part of a text."""
_SENTENCE = re.compile(r"[.;?!](?=\s)")


class _Option(NamedTuple):
    """An option of a prompt: its letter and where its text stands."""

    letter: str
    start: int
    end: int


def swap_options(prompt: str) -> str:
    """Exchange the texts of a prompt's two options.

    An option is a line that begins with its letter, set off as in ``A) SPEECH (human voice)``,
    ``(A) …``, ``**A)** …``, ``A = …``, ``A：…``; the rest of the line is its text. Where no line
    begins so, both may stand in one line, ``A) Yes, B) No``.

    Parameters
    ----------
    prompt : str

    Returns
    -------
    str
        The prompt with both letters where they were, and each text behind the other letter.

    Raises
    ------
    ValueError
        If the prompt has not exactly one option for each letter, or writes them in lower case.
    """
    first, second = _options(prompt)
    return (
        prompt[: first.start]
        + prompt[second.start : second.end]
        + prompt[first.end : second.start]
        + prompt[first.start : first.end]
        + prompt[second.end :]
    )


def has_options(prompt: str) -> bool:
    """Say whether a prompt has two options that can be exchanged."""
    try:
        _options(prompt)
    except ValueError:
        return False
    return True


def check_prompt(prompt: str) -> None:
    """Raise a ValueError of one line if a prompt cannot be answered by A or B.

    It has a third option, or its options are in lower case. A prompt without options is none of
    these: what it asks for is its author's to say.
    """
    options = _marked(prompt)
    letters = [option.letter for option in options]
    if {"A", "B"} <= {letter.upper() for letter in letters}:
        _check_letters(letters, prompt)


def option_texts(prompt: str) -> dict[str, str]:
    """Return the text of each option by its letter, in the order in which they stand.

    Raises
    ------
    ValueError
        As :func:`swap_options` does.
    """
    return {one.letter: prompt[one.start : one.end].strip() for one in _options(prompt)}


def _options(prompt: str) -> tuple[_Option, _Option]:
    """Return both options in the order in which they stand."""
    options = _marked(prompt)
    letters = [option.letter for option in options]
    if {"A", "B"} <= {letter.upper() for letter in letters}:
        _check_letters(letters, prompt)
    if sorted(letters) != list(LETTERS):
        raise ValueError(
            f"a prompt with options needs one line 'A) ...' and one line 'B) ...': {prompt!r}"
        )
    return options[0], options[1]


def _check_letters(letters: list[str], prompt: str) -> None:
    further = [letter for letter in letters if letter.upper() not in LETTERS]
    if further:
        raise ValueError(f"a prompt has two options, A and B, and here is {further[0]}: {prompt!r}")
    if any(letter.islower() for letter in letters):
        raise ValueError(
            f"options are answered by A or B, and these are called a and b; write A and B: "
            f"{prompt!r}"
        )


def _marked(prompt: str) -> list[_Option]:
    """Return options that begin lines; without any of them, those within one line."""
    lines = [
        _Option(match["letter"], match.start("text"), match.end("text"))
        for match in _LINE.finditer(prompt)
    ]
    if len({option.letter.upper() for option in lines} & set(LETTERS)) == len(LETTERS):
        return lines
    for line in re.finditer(r"^.+$", prompt, re.MULTILINE):
        within = _within(prompt, line.start(), line.end())
        if [option.letter.upper() for option in within][:2] == list(LETTERS):
            return within
    return lines


def _within(prompt: str, start: int, end: int) -> list[_Option]:
    """Return the options of one line; none if what stands between two is no text."""
    marks = list(_WITHIN.finditer(prompt, start, end))
    options = []
    for mark, following in zip_longest(marks, marks[1:]):
        stop = following.start() if following else end
        sentence = _SENTENCE.search(prompt, mark.end(), stop)
        if sentence and following is None:
            stop = sentence.start()
        text = prompt[mark.end() : stop]
        stop -= len(text) - len(_TRAILING.sub("", text))
        if stop <= mark.end():
            return []
        options.append(_Option(mark["letter"], mark.end(), stop))
    return options
