"""Synthetic noise as recordings of category noise: white, pink and brown, made as they are read."""

from collections.abc import Iterator, Sequence

from speechdt.audio.noise import EXPONENTS, noise_path
from speechdt.corpus.sources import CorpusError, Source


def check(colours: Sequence[str] = tuple(EXPONENTS), count: int = 50, seconds: float = 5.0) -> None:
    """Refuse what is no noise.

    Raises
    ------
    CorpusError
        Naming the colour.
    """
    for colour in colours:
        if colour == "babble":
            raise CorpusError("babble is made of speech, and never NONSPEECH")
        if colour not in EXPONENTS:
            raise CorpusError(f"no colour '{colour}'; colours: {', '.join(EXPONENTS)}")


def read(
    colours: Sequence[str] = tuple(EXPONENTS), count: int = 50, seconds: float = 5.0
) -> Iterator[Source]:
    """List noises, each a group of its own.

    Parameters
    ----------
    colours : sequence of {"white", "pink", "brown"}
    count : int
        Noises of each colour.
    seconds : float
        Length of each.
    """
    for colour in colours:
        for number in range(count):
            name = noise_path(colour, number, seconds)
            yield Source(
                path=name,
                source_id=name,
                label="NONSPEECH",
                category="noise",
                group_id=name,
                extra={"corpus": "synthetic", "sound": colour, "licence": "CC0-1.0"},
            )
