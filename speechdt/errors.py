"""Errors in the user's data, configuration or plugins, said in one line."""


class SpeechdtError(ValueError):
    """The message is one line that names the file, key or plugin and what to do."""


def one_line(text: str) -> str:
    """Return text in one line, whatever it quotes."""
    return " ".join(text.splitlines())
