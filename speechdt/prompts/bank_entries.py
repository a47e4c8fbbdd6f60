"""Entries of ``prompts`` in the configuration: a text, or a text and which option is SPEECH."""

from collections.abc import Mapping
from typing import Any, cast

from speechdt.errors import SpeechdtError
from speechdt.prompts.answer_options import SpeechIs, check_prompt, has_options, swap_options


def text_of(entry: str | Mapping[str, Any]) -> str:
    """Return the text of an entry."""
    return entry if isinstance(entry, str) else str(entry["text"])


def speech_is(entry: str | Mapping[str, Any]) -> SpeechIs:
    """Return the option of an entry that stands for SPEECH, A unless it says otherwise."""
    return "A" if isinstance(entry, str) else cast(SpeechIs, entry.get("speech_is", "A"))


def speech_as_a(entry: str | Mapping[str, Any]) -> str | None:
    """Return a text whose option A is SPEECH: that of the entry, or with its options exchanged.

    None if SPEECH is B and there are no two options.
    """
    text = text_of(entry)
    if speech_is(entry) == "A":
        return text
    return swap_options(text) if has_options(text) else None


def check_entries(prompts: Mapping[str, str | Mapping[str, Any]]) -> None:
    """Raise a SpeechdtError of one line that names the first prompt that A or B cannot answer."""
    for name, entry in prompts.items():
        try:
            check_prompt(text_of(entry))
        except ValueError as error:
            raise SpeechdtError(f"prompts.{name}: {error}") from None
