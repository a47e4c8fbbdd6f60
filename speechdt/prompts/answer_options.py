"""Answer options of a question, as lines of its text."""

import re

LETTERS = ("A", "B")
_OPTION = re.compile(r"^([ \t]*\(?([AB])[ \t]*[)=.:][ \t]*)(\S.*)$", re.MULTILINE)


def swap_options(prompt: str) -> str:
    """Exchange the texts of a prompt's two options.

    An option is a line that begins with its letter and one of ``) = . :``, as in
    ``A) SPEECH (human voice)`` or ``A = Contains human voice``; the rest of the line is its text.

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
        If the prompt has not exactly one line for each letter.
    """
    first, second = _options(prompt)
    return (
        prompt[: first.start(3)]
        + second[3]
        + prompt[first.end(3) : second.start(3)]
        + first[3]
        + prompt[second.end(3) :]
    )


def has_options(prompt: str) -> bool:
    """Say whether a prompt has two options that can be exchanged."""
    try:
        _options(prompt)
    except ValueError:
        return False
    return True


def option_texts(prompt: str) -> dict[str, str]:
    """Return the text of each option by its letter, in the order in which they stand.

    Raises
    ------
    ValueError
        As :func:`swap_options` does.
    """
    return {match[2]: match[3].strip() for match in _options(prompt)}


def _options(prompt: str) -> tuple[re.Match[str], re.Match[str]]:
    """Return the lines of both options in the order in which they stand."""
    found = list(_OPTION.finditer(prompt))
    if sorted(match[2] for match in found) != list(LETTERS):
        raise ValueError(
            f"a prompt with options needs one line 'A) ...' and one line 'B) ...': {prompt!r}"
        )
    return found[0], found[1]
