"""Question in tokens: two options, the chat text around the audio, the answer tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from speechdt.prompts.answer_options import LETTERS

BASELINE_PROMPT = """\
Choose one:
A) SPEECH (human voice)
B) NONSPEECH (music/noise/silence/animals)

Answer with A or B ONLY."""
"""The plan's baseline prompt (docs/plan.md), word for word."""
END_OF_TURN = "<|im_end|>"
"""What ends what anybody says, in the chats of both architectures."""


@dataclass(frozen=True)
class AnswerTokens:
    """The two tokens that can answer.

    Attributes
    ----------
    texts : tuple of str
        ``("A", "B")``, or with a leading space where the generation prompt ends within a line.
    ids : tuple of int
    """

    texts: tuple[str, str]
    ids: tuple[int, int]


@dataclass(frozen=True)
class Question:
    """Token ids around the audio.

    Attributes
    ----------
    before, after : tuple of int
        Ids before the first and after the last audio token; `after` ends with the generation
        prompt, so that the next token is the answer.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class Chat:
    """Turns prompts into tokens with a checkpoint's own chat template.

    Attributes
    ----------
    tokenizer : transformers tokenizer
    renderer : object with `apply_chat_template`
        The checkpoint's processor, or its tokenizer where the processor needs what is not there.
    template : str or None
        Chat template, where it is not the renderer's own.
    audio_token_id : int
        Id that stands for the audio.
    system : str or None
        System message of questions; None leaves it to the template.
    """

    tokenizer: Any
    renderer: Any
    template: str | None
    audio_token_id: int
    system: str | None = None

    def render(self, prompt: str) -> str:
        """Return the chat text of one clip and `prompt`, up to where the answer begins."""
        # Templates tell audio by its type or by its key: this message has what each looks for.
        audio = {"type": "audio", "audio": "clip.wav", "audio_url": "clip.wav"}
        return self._rendered([audio], prompt, self.system)

    def render_text(self, text: str) -> str:
        """Return the chat text of a message without audio, up to where the reply begins."""
        return self._rendered([], text)

    def end_of_turn(self) -> int:
        """Return the id that ends a reply.

        Raises
        ------
        ValueError
            If the tokenizer has none.
        """
        token = self.tokenizer.convert_tokens_to_ids(END_OF_TURN)
        if token is None or token == self.tokenizer.unk_token_id:
            raise ValueError(f"the tokenizer has no {END_OF_TURN}")
        return int(token)

    def _rendered(self, audio: list[dict[str, str]], text: str, system: str | None = None) -> str:
        messages: list[dict[str, Any]] = [
            {"role": "user", "content": [*audio, {"type": "text", "text": text}]}
        ]
        if system is not None:
            messages.insert(0, {"role": "system", "content": [{"type": "text", "text": system}]})
        own = {} if self.template is None else {"chat_template": self.template}
        rendered = self.renderer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, **own
        )
        if system is not None and system.strip() not in rendered:
            raise ValueError("system: the checkpoint's chat template takes no system message")
        return str(rendered)

    def question(self, prompt: str) -> Question:
        """Return the tokens around the audio.

        Raises
        ------
        ValueError
            If the chat text has no audio token, or more than one.
        """
        text = self.render(prompt)
        ids = self.tokenizer(text)["input_ids"]
        places = [i for i, token in enumerate(ids) if token == self.audio_token_id]
        if len(places) != 1:
            raise ValueError(f"{len(places)} audio tokens in the chat text, not one: {text!r}")
        return Question(tuple(ids[: places[0]]), tuple(ids[places[0] + 1 :]))

    def answer_tokens(self, letters: Sequence[str] = LETTERS) -> AnswerTokens:
        """Decide which tokens answer, by what follows the generation prompt.

        Where the generation prompt ends with white space (ChatML: a new line), the answer begins
        with the letter itself, and elsewhere with a space; the other form is taken if the first
        is no single token of this tokenizer.

        Raises
        ------
        ValueError
            If neither form is one token for each letter.
        """
        text = self.render(BASELINE_PROMPT)
        forms = ("", " ") if text[-1].isspace() else (" ", "")
        for space in forms:
            ids = [self._continued(text, space + letter) for letter in letters]
            if None not in ids and len(set(ids)) == len(letters):
                first, second = (space + letter for letter in letters)
                return AnswerTokens((first, second), (ids[0], ids[1]))
        raise ValueError(f"the tokenizer has no single token for each of {' and '.join(letters)}")

    def _continued(self, text: str, answer: str) -> int | None:
        """Return the id that `answer` adds to the tokens of `text`, or None if it is not one."""
        ids = self.tokenizer(text)["input_ids"]
        longer = self.tokenizer(text + answer)["input_ids"]
        return longer[-1] if longer[:-1] == ids else None
