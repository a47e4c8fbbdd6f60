"""Error of audio that cannot be used."""


class UnusableAudio(ValueError):
    """A recording cannot be used; the message says why in a few words."""
