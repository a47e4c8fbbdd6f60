"""Proposals from a server that speaks OpenAI's chat protocol.

The key is taken from the environment when it is needed; it stands in no message, log or result, and
goes to the origin of `base_url` alone.
"""

import json
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from speechdt.http_client import Reply, ServerError, ServerTimeout, check_url, post_json
from speechdt.prompts.proposers.contract import ProposerError

TRIES = 2
"""Requests for one reply where the server does not answer in time or is too busy."""
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
"""HTTP states that may pass."""
SUCCESS = 200


@dataclass(frozen=True)
class ChatServer:
    """A server, and how its model is asked.

    Attributes
    ----------
    base_url : str
        Up to and including the version, such as ``http://localhost:8000/v1``.
    model : str
        Name of the model at the server.
    key_variable : str
        Environment variable that holds the key; without it, no key is sent.
    temperature : float
    most_tokens : int
        Of a reply.
    timeout_s : float
        Seconds that a reply may take, from the request to its last byte.
    plain_http : bool
        Whether http may go beyond this machine, which all on the way can read.

    Raises
    ------
    ValueError
        If `base_url` is no http or https address, or plain http that is not allowed.
    """

    base_url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    temperature: float = 1.0
    most_tokens: int = 1500
    timeout_s: float = 120.0
    plain_http: bool = False

    def __post_init__(self) -> None:
        try:
            check_url(self.base_url, plain_http=self.plain_http)
        except ValueError as error:
            raise ValueError(f"proposer: base_url: {error}") from None

    def __call__(self, text: str, seed: int) -> str:
        """Return the model's reply.

        Raises
        ------
        ProposerError
            If the server refuses, is silent, or answers with anything but a reply.
        """
        for left in reversed(range(TRIES)):
            try:
                reply = self._ask(text, seed)
            except ServerTimeout as error:
                if not left:
                    raise self._failure(str(error)) from None
                continue
            except ServerError as error:
                raise self._failure(str(error)) from None
            if reply.status == SUCCESS:
                return self._text(reply)
            if not left or reply.status not in TRANSIENT:
                raise self._failure(f"HTTP {reply.status}")
        raise AssertionError("unreachable")

    def _ask(self, text: str, seed: int) -> Reply:
        content = {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "temperature": self.temperature,
            "max_tokens": self.most_tokens,
            "seed": seed,
        }
        url = f"{self.base_url.rstrip('/')}/chat/completions"
        key = os.getenv(self.key_variable, "").strip()
        return post_json(
            url,
            content,
            token=key or None,
            timeout_s=self.timeout_s,
            plain_http=self.plain_http,
        )

    def _text(self, reply: Reply) -> str:
        try:
            text = json.loads(reply.body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise self._failure("its answer is no chat completion") from None
        if not isinstance(text, str) or not text.strip():
            raise self._failure("its reply is empty")
        return text

    def _failure(self, reason: str) -> ProposerError:
        # The host alone: an address may hold a password.
        host = urlsplit(self.base_url).hostname
        return ProposerError(f"proposer: {self.model} at {host}: {reason}")
