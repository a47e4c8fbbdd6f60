"""Planted worlds for prompt searches: a detector, a judge and a proposer's replies."""

from types import SimpleNamespace

import numpy as np
from scipy.special import expit

from speechdt import seeds
from speechdt.prompts.judge import Judge
from speechdt.prompts.opro import search
from speechdt.prompts.proposers.template import TemplateProposer
from speechdt.prompts.race import blocks
from speechdt.prompts.settings import Budget

TEMPLATE = TemplateProposer()

PLANTED = ("Focus on", "syllable", "NO VOICE", "ONLY")
"""Words of one opening, one question, one pair of options and one closing."""


BASELINE = "Is it speech?\nA) it is\nB) it is not"


OTHER = "Who speaks?\nA) somebody\nB) nobody"


def world(seed, items=60, cells=5, groups=12):
    """Return trials: class, item, group and what makes each clip easy or hard."""
    rng = np.random.default_rng(seed)
    item = np.repeat(np.arange(2 * items), cells)
    speech = item < items
    group = np.char.add(np.where(speech, "s", "n"), (item % groups).astype(str))
    names, of_group = np.unique(group, return_inverse=True)
    ease = rng.normal(size=len(item)) + rng.normal(0, 0.3, len(names))[of_group]
    return SimpleNamespace(speech=speech, item=item, group=group, ease=ease, seed=seed)


def detector(trials, sensitivity, noise):
    """Return a fake detector: log-odds by class, ease, and noise that the prompt's text seeds."""

    def ask(prompts, clips):
        size = len(trials.item)
        own = [seeds.generator(trials.seed, q).normal(size=size)[clips] for q in prompts]
        strength = np.array([sensitivity(prompt) for prompt in prompts])[:, None]
        sign = np.where(trials.speech[clips], 1, -1)
        return expit(strength * sign + trials.ease[clips] + noise * np.array(own))

    return ask


def judge(trials, **settings):
    return Judge(trials.speech, trials.item, trials.group, replicates=200, **settings)


def planted(prompt):
    return sum(word in prompt for word in PLANTED)


def run_search(trials, ask, proposer=TEMPLATE, start=None, recall=None, optimizer="opro", **budget):
    extra = {} if recall is None else {"recall": recall}
    return search(
        ask=ask,
        judge=judge(trials),
        blocks=blocks(trials.speech, trials.item, trials.group, trials.seed),
        baseline=BASELINE,
        start=start or {},
        proposer=proposer,
        budget=Budget(**budget),
        seed=trials.seed,
        optimizer=optimizer,
        descriptions=[f"clip {clip}" for clip in range(len(trials.item))],
        **extra,
    )


def reply(number):
    texts = [f"Do you hear voice {number} or {i}?\nA) I do\nB) I do not" for i in range(3)]
    return "\n".join(f"<question>{text}</question>" for text in [*texts, OTHER])
