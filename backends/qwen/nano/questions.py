"""Questions that train the nano models: many wordings, both orders, other subjects.

Every question is multiple choice, and one letter answers it.
"""

from typing import NamedTuple

import numpy as np

from speechdt.corpus.sources import CATEGORIES

from ..question import BASELINE_PROMPT

SPEECH = "speech"
SILENT = "silent"
"""Category of a clip that holds nothing."""
SOUNDS = CATEGORIES["SPEECH"] + CATEGORIES["NONSPEECH"]
"""Categories of a corpus, in the order in which most questions list them."""
LETTERS = "ABCDE"

CANONICAL = 0.7
"""Share of the questions about the category that list all categories in the order of `SOUNDS`."""
ABOUT_SILENCE = 0.25
"""Share of the questions about silence among those that do not ask for speech."""


class Wording(NamedTuple):
    """One way to put a question with two options.

    Attributes
    ----------
    text : str
        The question; ``{a}`` and ``{b}`` stand for the options.
    yes, no : str
        The options: what is true, and what is false, if the clip holds what is asked for.
    """

    text: str
    yes: str
    no: str

    def prompt(self, yes_is_a: bool = True) -> str:
        """Return the question with its options in either order."""
        a, b = (self.yes, self.no) if yes_is_a else (self.no, self.yes)
        return self.text.format(a=a, b=b)


_BASELINE = ("SPEECH (human voice)", "NONSPEECH (music/noise/silence/animals)")
REQUIRED = (
    Wording(BASELINE_PROMPT.replace(_BASELINE[0], "{a}").replace(_BASELINE[1], "{b}"), *_BASELINE),
    Wording(
        "Listen carefully to this audio clip.\n\nDoes it contain human speech?\n\n"
        "A) {a}\nB) {b}\n\nYour answer:",
        "Yes - I hear human voice speaking",
        "No - I hear music, noise, silence, or non-human sounds",
    ),
    Wording(
        "Task: Detect if human speech is present in this audio.\n\nA) {a}\nB) {b}\n\nAnswer:",
        "SPEECH detected",
        "NO SPEECH detected",
    ),
    Wording(
        "Is there human speech in this audio?\n\nA) {a}\nB) {b}\n\nYour response:", "Yes", "No"
    ),
    Wording(
        "Classification task: SPEECH vs NONSPEECH\n\nListen to the audio.\n\n"
        "A = {a}\nB = {b}\n\nSelect:",
        "Contains human voice",
        "Does not contain human voice",
    ),
)
"""The five prompts of the plan (docs/plan.md), the baseline first."""

OTHERS = (
    Wording("What do you hear?\nA) {a}\nB) {b}\nAnswer:", "Speech", "Something else"),
    Wording("Which one fits the audio?\nA. {a}\nB. {b}", "speech", "no speech"),
    Wording("Is anyone speaking in this clip?\n\nA) {a}\nB) {b}", "Yes", "No"),
    Wording(
        "Focus on the human voice and decide.\nA) {a}\nB) {b}\nReply with one letter.",
        "a person is talking",
        "nobody is talking",
    ),
    Wording(
        "Label the recording.\nA: {a}\nB: {b}\nLabel:",
        "human voice",
        "music, animals, noise or environment",
    ),
    Wording(
        "The clip may be short. Does it hold speech, even a syllable of it?\nA) {a}\nB) {b}\n"
        "Answer with A or B ONLY.",
        "Speech is present",
        "Speech is absent",
    ),
    Wording("Voice activity detection.\nA = {a}\nB = {b}\nOutput A or B:", "VOICE", "NO VOICE"),
    Wording("Select the best option.\nA) {a}\nB) {b}\n\nSelect:", "SPEECH", "NONSPEECH"),
    Wording(
        "You hear a short sound. Who or what made it?\nA) {a}\nB) {b}\nYour answer:",
        "a human speaking words",
        "an animal, an instrument, a machine or the weather",
    ),
    Wording("Speech or not?\nA) {a}\nB) {b}", "Speech", "Not speech"),
    Wording("Is this clip free of human speech?\nA) {a}\nB) {b}\nAnswer:", "No", "Yes"),
)
"""Further wordings, so that the models read the prompt and do not know five by heart."""
WORDINGS = REQUIRED + OTHERS

SILENCE = (
    Wording("Can you hear any sound?\nA) {a}\nB) {b}\nYour answer:", "Yes", "No"),
    Wording("Is this clip silent?\nA) {a}\nB) {b}\nAnswer:", "No", "Yes"),
    Wording("Choose one:\nA) {a}\nB) {b}", "SOUND", "SILENCE"),
)
"""Ways to ask whether there is anything to hear."""

CATEGORY = (
    "What kind of sound is this?\n{options}\nAnswer:",
    "Choose the category of the clip:\n{options}\n\nAnswer with one letter ONLY.",
    "Which category does the audio belong to?\n{options}",
)
"""Ways to ask what kind of sound it is."""


class Question(NamedTuple):
    """A question about one clip, and the letter that answers it."""

    prompt: str
    answer: str


def draw(category: str, speech: float, first: float, rng: np.random.Generator) -> Question:
    """Draw a question about a clip.

    Parameters
    ----------
    category : str
        What the clip holds: one of `SOUNDS`, or `SILENT`.
    speech : float
        Share of the questions whether there is speech; the others ask for something else.
    first : float
        Share of the questions with two options whose first option is ``yes``. A half would be the
        fair share, but from it these small models learn the order of the options much later.
    rng : Generator
    """
    if rng.random() < speech:
        return _either(WORDINGS, category == SPEECH, first, rng)
    if category == SILENT or rng.random() < ABOUT_SILENCE:
        return _either(SILENCE, category != SILENT, first, rng)
    return _category(category, rng)


def all_texts() -> list[str]:
    """Return every question in every order but those of the categories, for the tokenizer."""
    listed = _listed(SOUNDS)
    return [
        *(wording.prompt(yes_is_a) for wording in WORDINGS + SILENCE for yes_is_a in (True, False)),
        *(text.format(options=listed) for text in CATEGORY),
    ]


def _either(
    wordings: tuple[Wording, ...], is_yes: bool, first: float, rng: np.random.Generator
) -> Question:
    wording = wordings[rng.integers(len(wordings))]
    yes_is_a = bool(rng.random() < first)
    return Question(wording.prompt(yes_is_a), "A" if is_yes == yes_is_a else "B")


def _category(category: str, rng: np.random.Generator) -> Question:
    options = list(SOUNDS)
    if rng.random() >= CANONICAL:
        others = [name for name in SOUNDS if name != category]
        count = int(rng.integers(1, len(SOUNDS)))
        options = [category, *rng.permutation(others)[:count]]
        options = [str(option) for option in rng.permutation(options)]
    text = CATEGORY[rng.integers(len(CATEGORY))]
    return Question(text.format(options=_listed(options)), LETTERS[options.index(category)])


def _listed(options: list[str] | tuple[str, ...]) -> str:
    return "\n".join(
        f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False)
    )
