"""What goes wrong by the user's data, configuration or plugins, and is said in one line."""


class SpeechdtError(ValueError):
    """The message is one line that names the file, key or plugin and what to do."""
