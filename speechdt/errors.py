"""Errors in the user's data, configuration or plugins, said in one line."""


class SpeechdtError(ValueError):
    """The message is one line that names the file, key or plugin and what to do."""


MOST_LETTERS = 1000
"""Of a line; what it quotes may have any length."""


def one_line(text: str) -> str:
    """Return text in one line, whatever it quotes; of a long one, its beginning and its end."""
    line = " ".join(text.splitlines())
    half = MOST_LETTERS // 2
    return line if len(line) <= MOST_LETTERS else f"{line[:half]} … {line[-half:]}"
