"""OpenAI's chat protocol with audio: one request for one token, and the answers in its reply."""

import base64
import io
import json
import math
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import soundfile
from numpy.typing import NDArray

from speechdt import SAMPLE_RATE
from speechdt.errors import SpeechdtError
from speechdt.http_client import ServerError, ServerTimeout, check_url, head, post_json
from speechdt.prompts.answer_options import LETTERS

TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
"""HTTP states that may pass."""
SUCCESS = 200
PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Before a request is sent again: doubled each time, up to the longest."""
CHECK_S = 10.0
MOST_LOGPROBS = 20
"""What the protocol allows."""


class ServedError(SpeechdtError):
    """A server does not answer as it must; the message is one line without key or address."""


@dataclass(frozen=True)
class Answer:
    """First token of a server's reply.

    Attributes
    ----------
    log_p : tuple of float
        Log-probability of each of `LETTERS`; of one that is not listed, that of the least listed.
    listed : tuple of bool
    """

    log_p: tuple[float, float]
    listed: tuple[bool, bool]

    @property
    def mass(self) -> float:
        """Probability of the answers that are listed."""
        return sum(math.exp(p) for p, there in zip(self.log_p, self.listed, strict=True) if there)


@dataclass(frozen=True)
class Server:
    """A server, and how its model is asked.

    Attributes
    ----------
    address : str
        From :func:`checked_address`.
    model : str
        Its name there.
    system : str or None
        System message in front of each question.
    key_variable : str
        Environment variable that holds the key; without it, no key is sent.
    timeout_s : float
        Seconds that an answer may take, from the request to its last byte.
    tries : int
        Requests for one answer where that may help.
    top_logprobs : int
        Tokens that are listed.
    plain_http : bool
        Whether http may go beyond this machine.
    """

    address: str
    model: str
    system: str | None
    key_variable: str
    timeout_s: float
    tries: int
    top_logprobs: int
    plain_http: bool = False

    @property
    def host(self) -> str | None:
        """The host alone: an address may hold a password."""
        return urlsplit(self.address).hostname

    def answer(self, audio: str, prompt: str) -> Answer:
        """Return the answer to a prompt about a clip, from :func:`wav`.

        Raises
        ------
        ServedError
            If none comes, or one that is none.
        """
        reason = ""
        for attempt in range(self.tries):
            if attempt:
                time.sleep(min(PAUSE_S * 2 ** (attempt - 1), LONGEST_PAUSE_S))
            body, reason, may_pass = self._asked(audio, prompt)
            if body is not None:
                try:
                    return answer_of(body)
                except ServedError as error:
                    reason, may_pass = str(error), False
            if not may_pass:
                break
        raise ServedError(f"{self.model} at {self.host}: {reason}")

    def _asked(self, audio: str, prompt: str) -> tuple[Any, str, bool]:
        """Return what a reply says; or None, why, and whether that may pass."""
        key = os.getenv(self.key_variable, "").strip() or None
        url = f"{self.address}/chat/completions"
        try:
            content = self._content(audio, prompt)
            reply = post_json(
                url, content, token=key, timeout_s=self.timeout_s, plain_http=self.plain_http
            )
        except ServerError as error:
            return None, str(error), True
        if reply.status != SUCCESS:
            return None, f"HTTP {reply.status}", reply.status in TRANSIENT
        try:
            return json.loads(reply.body), "", False
        except (ValueError, RecursionError):
            return None, "its reply is no JSON, or breaks off", True

    def _content(self, audio: str, prompt: str) -> dict[str, Any]:
        audio_part = {"type": "input_audio", "input_audio": {"data": audio, "format": "wav"}}
        user = {"role": "user", "content": [audio_part, {"type": "text", "text": prompt}]}
        system = [] if self.system is None else [{"role": "system", "content": self.system}]
        return {
            "model": self.model,
            "messages": [*system, user],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": self.top_logprobs,
        }


def wav(clip: NDArray[np.float32]) -> str:
    """Return a clip as 16-bit WAV in base64."""
    samples = np.clip(np.round(np.asarray(clip, dtype=np.float64) * 32768), -32768, 32767)
    file = io.BytesIO()
    soundfile.write(file, samples.astype(np.int16), SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return base64.b64encode(file.getvalue()).decode()


def answer_of(reply: Any) -> Answer:
    """Return the answers' log-probabilities in a chat completion.

    A token that is the letter itself counts; without it, the likeliest that is the letter but for
    white space.

    Raises
    ------
    ServedError
        If it lists no tokens, or a log-probability is none.
    """
    try:
        listed = reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        tokens = [(str(one["token"]), float(one["logprob"])) for one in listed]
    except (LookupError, TypeError, ValueError):
        raise ServedError(
            "its answer lists no tokens with their log-probabilities; the server must offer "
            "logprobs and top_logprobs for chats with audio"
        ) from None
    if not tokens or not all(p <= 1e-3 for _, p in tokens):
        raise ServedError("its answer lists log-probabilities that are none")
    least = min(p for _, p in tokens)
    log_p = []
    for letter in LETTERS:
        exact = [p for token, p in tokens if token == letter]
        spaced = [p for token, p in tokens if token.strip(" \t\n▁Ġ") == letter]
        log_p.append(max(exact or spaced, default=None))
    first, second = (least if p is None else p for p in log_p)
    return Answer((first, second), (log_p[0] is not None, log_p[1] is not None))


def check_server(address: str) -> None:
    """Raise a ValueError of one line if nobody is at an address; who is busy is there."""
    try:
        head(f"{address}/models", {}, timeout_s=CHECK_S)
    except ServerTimeout:
        return
    except ServerError as error:
        host = urlsplit(address).hostname
        raise ValueError(f"the server at {host} cannot be reached: {error}") from None


def checked_address(base_url: str | None, *, plain_http: bool = False) -> str:
    """Return the address without a slash at its end.

    Raises
    ------
    ValueError
        If there is none, it is no http or https address, or plain http beyond this machine that is
        not allowed.
    """
    address = base_url or os.getenv("OPENAI_BASE_URL", "")
    if not address:
        raise ValueError("base_url: name the server's address, here or in OPENAI_BASE_URL")
    try:
        check_url(address, plain_http=plain_http)
    except ValueError as error:
        raise ValueError(f"base_url: {error}") from None
    return address.rstrip("/")
