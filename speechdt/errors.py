"""Errors in the user's data, configuration or plugins, said in one line."""


class SpeechdtError(ValueError):
    """The message is one line that names the file, key or plugin and what to do."""
