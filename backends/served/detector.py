"""Detector over a server of OpenAI's chat protocol, asked about each clip by itself."""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from speechdt import stage
from speechdt.detectors.contract import Unfinished
from speechdt.prompts.answer_options import SpeechIs, check_prompt, swap_options

from .protocol import (
    MOST_LOGPROBS,
    Answer,
    ServedError,
    Server,
    check_server,
    checked_address,
    wav,
)

Clips = Sequence[NDArray[np.float32]]


class Served:
    """Asks a server about each clip.

    Parameters
    ----------
    model : str
        Its name at the server.
    prompt : str
        The question, as text.
    base_url : str or None
        Up to and including the version, such as ``http://localhost:8000/v1``; None takes
        OPENAI_BASE_URL.
    option_order : {"fixed", "both"}
        ``both`` averages the log-odds over both orders of the options.
    speech_is : {"A", "B"}
        Option that stands for SPEECH.
    system : str or None
        System message in front of the question.
    key_variable : str
        Environment variable that holds the key; without it, no key is sent.
    concurrency : int
        Requests at a time.
    timeout_s : float
        Seconds that an answer may take.
    tries : int
        Requests for one answer where the server does not answer in time or is too busy.
    top_logprobs : int
        Tokens that are listed, 20 at most.
    plain_http : bool
        Whether http may go beyond this machine, which all on the way can read.

    Attributes
    ----------
    asked, unlisted : int
        Answers that came, and those in which A or B was not listed.
    """

    gpus = 0
    takes_int16 = True
    incidental = ("key_variable", "concurrency", "timeout_s", "tries", "plain_http")
    """Options that change no answer: what is kept is kept whatever they are."""

    def __init__(
        self,
        model: str,
        prompt: str,
        base_url: str | None = None,
        option_order: Literal["fixed", "both"] = "fixed",
        speech_is: SpeechIs = "A",
        system: str | None = None,
        key_variable: str = "OPENAI_API_KEY",
        concurrency: int = 8,
        timeout_s: float = 60.0,
        tries: int = 5,
        top_logprobs: int = MOST_LOGPROBS,
        plain_http: bool = False,
    ):
        address = checked_address(base_url, plain_http=plain_http)
        self.server = Server(
            address, model, system, key_variable, timeout_s, tries, top_logprobs, plain_http
        )
        self.prompt, self.both, self.speech_is = prompt, option_order == "both", speech_is
        self.concurrency = concurrency
        self._latest: dict[tuple[str, str], Answer] = {}
        self.asked = self.unlisted = 0

    @classmethod
    def check(
        cls,
        model: str | None,
        prompt: str,
        base_url: str | None = None,
        option_order: str = "fixed",
        concurrency: int = 8,
        timeout_s: float = 60.0,
        tries: int = 5,
        top_logprobs: int = MOST_LOGPROBS,
        plain_http: bool = False,
        **_options: object,
    ) -> None:
        """Raise a ValueError, before any job starts, if this cannot be asked.

        A number is out of bounds, the address is none, nobody is there, the prompt has a third
        option, or both orders are asked of one without two.
        """
        if not model:
            raise ValueError("model: name the one at the server")
        numbers = {"concurrency": concurrency, "tries": tries, "top_logprobs": top_logprobs}
        for name, value in numbers.items():
            if value < (2 if name == "top_logprobs" else 1):
                raise ValueError(f"{name} is {value}, and must be larger")
        if top_logprobs > MOST_LOGPROBS:
            raise ValueError(f"top_logprobs is {top_logprobs}, and may be {MOST_LOGPROBS} at most")
        if timeout_s <= 0:
            raise ValueError(f"timeout_s is {timeout_s:g}, and must be above 0")
        check_prompt(prompt)
        if option_order == "both":
            swap_options(prompt)
        check_server(checked_address(base_url, plain_http=plain_http))

    def score(self, clips: Clips) -> NDArray[np.float64]:
        """Return P(SPEECH) for each clip, float64 (clips,)."""
        try:
            return self.score_prompts(clips, [self.prompt])[0]
        except Unfinished as error:
            raise Unfinished(str(error), error.scores[0]) from None

    def score_prompts(self, clips: Clips, prompts: Sequence[str]) -> NDArray[np.float64]:
        """Return P(SPEECH) for each prompt and clip, float64 (prompts, clips).

        Raises
        ------
        Unfinished
            If the server stops answering; with what it has answered.
        """
        try:
            return _probability(self.log_odds(clips, prompts, both=self.both))
        except Unfinished as error:
            raise Unfinished(str(error), _probability(error.scores)) from None

    def log_odds(
        self, clips: Clips, prompts: Sequence[str] | None = None, *, both: bool = True
    ) -> NDArray[np.float64]:
        """Return the log-odds of SPEECH, (orders, prompts, clips).

        Order 0 is each prompt as it is, order 1 has the texts of its options exchanged.
        """
        prompts = [self.prompt] if prompts is None else list(prompts)
        asked = [*prompts, *(swap_options(prompt) for prompt in prompts if both)]
        answers, failure = self._ask(clips, asked)
        signs = np.array([1, -1] if both else [1]) * (1 if self.speech_is == "A" else -1)
        a_over_b = np.array(
            [np.nan if one is None else one.log_p[0] - one.log_p[1] for one in answers]
        )
        odds = a_over_b.reshape(len(signs), len(prompts), len(clips)) * signs[:, None, None]
        if failure is not None:
            raise Unfinished(str(failure), odds)
        return odds

    def answer_mass(self, clips: Clips) -> NDArray[np.float64]:
        """Return the probability of either answer to the detector's prompt, float64 (clips,).

        Of an answer that is not listed, none is counted: the mass is a least one. What the latest
        question of this process has brought of these clips is not asked for again.

        Raises
        ------
        Unfinished
            If the server stops answering; with what it has answered.
        """
        latest = self._latest
        answers = [latest.get((wav(clip), self.prompt)) for clip in clips]
        missing = [place for place, answer in enumerate(answers) if answer is None]
        fresh, failure = self._ask([clips[place] for place in missing], [self.prompt])
        for place, answer in zip(missing, fresh, strict=True):
            answers[place] = answer
        mass = np.array([np.nan if answer is None else answer.mass for answer in answers])
        if failure is not None:
            raise Unfinished(str(failure), mass)
        return mass

    def generate(
        self, text: str, seed: int, temperature: float = 1.0, most_tokens: int = 1500
    ) -> str:
        """Let the model answer a text, without audio: it can propose its own prompts."""
        from speechdt.prompts.proposers.chat_server import ChatServer

        own = self.server
        settings = (own.key_variable, temperature, most_tokens, own.timeout_s, own.plain_http)
        return ChatServer(own.address, own.model, *settings)(text, seed)

    def _ask(
        self, clips: Clips, prompts: Sequence[str]
    ) -> tuple[list[Answer | None], ServedError | None]:
        """Return the answer to each prompt about each clip, in order; and what went wrong.

        After a failure nothing new is asked, and what is under way is waited for.
        """
        with stage("features"):
            audio = [wav(clip) for clip in clips]
        questions = [(clip, prompt) for prompt in prompts for clip in audio]
        failures: list[ServedError] = []

        def one(question: tuple[str, str]) -> Answer | None:
            if failures:
                return None
            try:
                return self.server.answer(*question)
            except ServedError as error:
                failures.append(error)
                return None

        with stage("forward"), ThreadPoolExecutor(self.concurrency) as pool:
            answers = list(pool.map(one, questions))
        came = zip(questions, answers, strict=True)
        self._latest = {question: answer for question, answer in came if answer is not None}
        self._count(one for one in answers if one is not None)
        return answers, failures[0] if failures else None

    def _count(self, answers: Iterable[Answer]) -> None:
        lacking = [not all(answer.listed) for answer in answers]
        self.asked += len(lacking)
        self.unlisted += sum(lacking)
        if any(lacking):
            logging.getLogger("speechdt").warning(
                "%s: in %d of %d answers so far, A or B is not among the %d likeliest tokens and "
                "is taken for as likely as the last of them",
                self.server.model,
                self.unlisted,
                self.asked,
                self.server.top_logprobs,
            )


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return P(SPEECH), (prompts, clips), of log-odds by order."""
    with np.errstate(invalid="ignore"):  # NaN, where there is no answer, stays so
        return np.exp(-np.logaddexp(0, -log_odds.mean(axis=0)))
