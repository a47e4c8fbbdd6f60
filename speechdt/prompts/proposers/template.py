"""Proposals without a language model: new combinations of clauses, wordings and options.

Which ones go together is learned from what was tried: the score of a prompt is taken for a sum of
effects of its parts (a Bayesian linear model), effects are drawn from what is known about them, and
the parts that are best under the draw are put together (Thompson 1933,
doi:10.1093/biomet/25.3-4.285). Parts that were never tried may turn out best in a draw, so all get
their chance. Parts do not simply add up, however, so half of the proposals keep all parts but one
of a prompt that did well.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speechdt.arrays import Floats
from speechdt.prompts.proposers.contract import Tried

LAYOUT = "{opening}{question}{gap}A{mark} {options[0]}\nB{mark} {options[1]}{closing}"
PARTS: Mapping[str, Sequence[Any]] = {
    "opening": (
        "",
        "Listen carefully to this audio clip.\n\n",
        "Classification task: SPEECH vs NONSPEECH\n\n",
        "Voice activity detection.\n\n",
        "Focus on the human voice and decide.\n\n",
        "You hear a short sound. ",
        "The clip may be short. ",
    ),
    "question": (
        "Choose one:",
        "Does it contain human speech?",
        "Is there human speech in this audio?",
        "Is anyone speaking in this clip?",
        "Does it hold speech, even a syllable of it?",
        "What do you hear?",
        "Who or what made it?",
        "Which one fits the audio?",
        "Select the best option.",
        "Label the recording.",
        "Speech or not?",
        "Task: Detect if human speech is present in this audio.",
        "Listen to the audio.",
    ),
    "gap": ("\n\n", "\n"),
    "options": (
        ("SPEECH (human voice)", "NONSPEECH (music/noise/silence/animals)"),
        (
            "Yes - I hear human voice speaking",
            "No - I hear music, noise, silence, or non-human sounds",
        ),
        ("SPEECH detected", "NO SPEECH detected"),
        ("Yes", "No"),
        ("Contains human voice", "Does not contain human voice"),
        ("Speech", "Something else"),
        ("SPEECH", "NONSPEECH"),
        ("VOICE", "NO VOICE"),
        ("Speech is present", "Speech is absent"),
        ("a person is talking", "nobody is talking"),
        ("human voice", "music, animals, noise or environment"),
        ("a human speaking words", "an animal, an instrument, a machine or the weather"),
    ),
    "mark": (")", ".", ":", " ="),
    "closing": (
        "",
        "\n\nAnswer with A or B ONLY.",
        "\n\nReply with one letter.",
        "\n\nYour answer:",
        "\n\nYour response:",
        "\n\nAnswer:",
        "\n\nSelect:",
        "\n\nOutput A or B:",
    ),
}
"""Parts of a question; words that the plan's prompts and their like are made of."""

SPREAD = 1.0
"""Standard deviation of an effect before anything is known, in those of the scores."""
NOISE = 0.5
"""Standard deviation of a score about the sum of the effects, on all clips, likewise."""
CHANGED = 0.5
"""Share of the proposals that change one part of a prompt that did well."""
ELITE = 3
"""How many prompts count as having done well."""
DRAWS = 50
"""Draws for each proposal that is asked for, after which it is given up."""


class TemplateProposer:
    """Proposes combinations of parts.

    Parameters
    ----------
    parts : mapping
        What may stand in each place of the layout.
    layout : str
        As for ``str.format``.
    """

    def __init__(self, parts: Mapping[str, Sequence[Any]] = PARTS, layout: str = LAYOUT):
        self._sizes = [len(choices) for choices in parts.values()]
        self._offsets = np.cumsum([0, *self._sizes[:-1]])
        self._texts = {
            tuple(places): layout.format(
                **{name: parts[name][i] for name, i in zip(parts, places, strict=True)}
            )
            for places in product(*map(range, self._sizes))
        }
        self._places = {text: places for places, text in self._texts.items()}

    def propose(self, tried: Sequence[Tried], count: int, seed: int) -> list[str]:
        """Return up to `count` combinations that were not tried, see `proposers.Proposer`."""
        rng = np.random.default_rng(seed)
        mean, root = self._effects(tried)
        texts = {one.prompt for one in tried}
        # On all clips: the best score of a few clips is mostly luck.
        sure = [one for one in tried if one.weight >= 1 and one.prompt in self._places]
        ranked = sorted(sure, key=_score)
        elite = [self._places[one.prompt] for one in ranked[-ELITE:]]
        proposed: list[str] = []
        for _ in range(DRAWS * count):
            effects = mean + root @ rng.normal(size=len(mean))
            places = tuple(int(x.argmax()) for x in np.split(effects, self._offsets[1:]))
            if elite and rng.random() < CHANGED:
                places = self._changed(elite[rng.integers(len(elite))], places, rng)
            text = self._texts[places]
            if text not in texts:
                texts.add(text)
                proposed.append(text)
            if len(proposed) == count:
                break
        return proposed

    def revise(self, prompt: str, mistakes: Sequence[str], seed: int) -> list[str]:
        """Return all prompts that differ in one part, in random order, whatever the mistakes.

        A prompt that is no combination of the parts gives way to some that are.
        """
        rng = np.random.default_rng(seed)
        kept = self._places.get(prompt)
        if kept is None:
            return self.propose([], 1, seed)
        neighbours = [
            (*kept[:place], new, *kept[place + 1 :])
            for place, size in enumerate(self._sizes)
            for new in range(size)
            if new != kept[place]
        ]
        return [self._texts[neighbours[i]] for i in rng.permutation(len(neighbours))]

    def _changed(
        self, kept: tuple[int, ...], drawn: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[int, ...]:
        """Return a combination with one part as drawn, or any other if it has that already."""
        place = int(rng.integers(len(kept)))
        new = drawn[place]
        if new == kept[place]:
            new = int(rng.integers(self._sizes[place]))
        return (*kept[:place], new, *kept[place + 1 :])

    def _effects(self, tried: Sequence[Tried]) -> tuple[Floats, Floats]:
        """Return mean and a root of the covariance of all parts' effects, given what was tried."""
        usable = [one for one in tried if one.prompt in self._places]
        size = sum(self._sizes)
        scores = np.array([one.score for one in usable])
        spread = scores.std() if len(usable) > 1 else 0.0
        if not spread > 0:
            return np.zeros(size), SPREAD * np.eye(size)
        held = self._held([self._places[one.prompt] for one in usable])
        weights = np.array([one.weight for one in usable]) / NOISE**2
        precision = np.eye(size) / SPREAD**2 + held.T @ (weights[:, None] * held)
        standard = (scores - scores.mean()) / spread
        mean = np.linalg.solve(precision, held.T @ (weights * standard))
        # L L' is the precision, so the inverse of L' is a root of the covariance.
        root = np.linalg.inv(np.linalg.cholesky(precision)).T
        return mean, root

    def _held(self, places: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """Return which parts each prompt holds, (prompts, parts), 0 or 1."""
        held = np.zeros((len(places), sum(self._sizes)))
        for row, chosen in zip(held, places, strict=True):
            row[self._offsets + np.array(chosen)] = 1
        return held


def _score(one: Tried) -> float:
    return one.score
