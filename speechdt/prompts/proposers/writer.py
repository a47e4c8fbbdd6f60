"""Proposals from a language model, given the tried prompts and their scores.

A proposer gets the prompts that were tried, with their scores, and returns texts; whether they are
prompts is not its business (`speechdt.prompts.candidates`). Without anything tried it proposes
blindly, which is what a random search does. It also revises one prompt, told where that one errs.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from speechdt.prompts.proposers.contract import Tried

TASK = """\
A model hears a short audio clip, often noisy, and is asked whether somebody speaks in it. It can \
only answer A (there is human speech) or B (there is none). How well it answers depends on how it \
is asked. Write better questions for it.
"""
SHOWN = """
These questions were tried. They stand from the worst to the best, each with its score; scores go \
from 0 to 100, and higher is better.

{questions}
"""
RULES = """
Write {count} new questions{better}. Each must
- be clear and leave no doubt about what is asked,
- turn attention to the human voice,
- have two or three sentences at most, besides its options,
- end in two options, each on a line of its own: "A) " and what it stands for, namely that there \
is human speech; then "B) " and what it stands for, namely that there is none.
A short request to answer by one letter may follow the options.
Put each question between <question> and </question>, and write nothing else.
"""
REVISED = """
This question was asked:

<question>
{prompt}
</question>

These are among the clips that it was answered worst about. A should have been likely for human \
speech, and B for anything else.

{mistakes}
"""
_TURN = re.compile(
    r"<\|im_(?:start|end)\|>|<\|endoftext\|>"
    r"|^[ \t]*(?:#+[ \t]*|\*\*)?(?:human|user|assistant|system)(?:\*\*)?[ \t]*(?::|$)",
    re.IGNORECASE | re.MULTILINE,
)
"""How a turn of a conversation begins that a model goes on to invent behind its own reply."""
OPENS, CLOSES = "<question", "</question>"
"""What a question stands between; behind the first there may be attributes."""


def meta_prompt(tried: Sequence[Tried], count: int, shown: int = 20) -> str:
    """Return what a language model is told: the task, what was tried (best last), and the rules.

    After Yang et al. 2023, *Large language models as optimizers*, arXiv 2309.03409.

    Parameters
    ----------
    tried : sequence of Tried
        The best `shown` of them are named; nothing is said of scores if there is none.
    count : int
        Questions to ask for.
    """
    best = sorted(tried, key=lambda one: one.score)[-shown:]
    questions = "\n\n".join(
        f'<question score="{one.score:.1f}">\n{one.prompt}\n</question>' for one in best
    )
    examples = SHOWN.format(questions=questions) if best else ""
    better = " that differ from all of these and may score higher" if best else ""
    return TASK + examples + RULES.format(count=count, better=better)


def revision_prompt(prompt: str, mistakes: Sequence[str]) -> str:
    """Return what a language model is told to better a prompt: the task, its mistakes, the rules.

    After Agrawal et al. 2025, *GEPA: reflective prompt evolution can outperform reinforcement
    learning*, arXiv 2507.19457.
    """
    listed = "\n".join(f"- {mistake}" for mistake in mistakes)
    better = " that differs from it and avoids such mistakes"
    rules = RULES.format(count=1, better=better).replace("questions", "question")
    return TASK + REVISED.format(prompt=prompt, mistakes=listed) + rules


def questions_in(reply: str) -> list[str]:
    """Return the questions of a reply, or the whole reply if none is marked.

    What follows the reply as somebody else's turn, which a model may invent, is cut off.
    """
    own = _own_turn(reply)
    return list(_marked(own)) or [own]


def _marked(reply: str) -> Iterator[str]:
    """Yield what stands between marks, in time linear in the length: a pattern's is its square."""
    start = reply.find(OPENS)
    while start >= 0:
        text = reply.find(">", start) + 1
        end = reply.find(CLOSES, text)
        if not text or end < 0:
            return
        yield reply[text:end]
        start = reply.find(OPENS, end + len(CLOSES))


def _own_turn(reply: str) -> str:
    """Return a reply up to the first turn behind it; a turn that it begins with is its own."""
    turns = (turn.start() for turn in _TURN.finditer(reply) if reply[: turn.start()].strip())
    return reply[: next(turns, len(reply))]


class Writer:
    """Proposes what a language model writes.

    Parameters
    ----------
    write : callable
        From what the model is told and a seed to its reply.
    """

    def __init__(self, write: Callable[[str, int], str]):
        self._write = write

    def propose(self, tried: Sequence[Tried], count: int, seed: int) -> list[str]:
        """Ask the model once, see :class:`Proposer`."""
        return questions_in(self._write(meta_prompt(tried, count), seed))

    def revise(self, prompt: str, mistakes: Sequence[str], seed: int) -> list[str]:
        """Ask the model once, see :class:`Proposer`."""
        return questions_in(self._write(revision_prompt(prompt, mistakes), seed))
