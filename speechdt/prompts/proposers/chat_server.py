"""Ask a language model on a server that speaks OpenAI's chat protocol.

The key is taken from the environment when it is needed; it stands in no message, log or result.
"""

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

from speechdt.prompts.proposers.contract import ProposerError

TRIES = 2
"""Requests for one reply where the server does not answer in time or is too busy."""
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
"""HTTP states that may pass."""


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
        Seconds without a byte from the server after which it is given up.
    """

    base_url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    temperature: float = 1.0
    most_tokens: int = 1500
    timeout_s: float = 120.0

    def __call__(self, text: str, seed: int) -> str:
        """Return the model's reply.

        Raises
        ------
        ProposerError
            If the server refuses, is silent, or answers with anything but a reply.
        """
        for left in reversed(range(TRIES)):
            try:
                return self._reply(self._request(text, seed))
            except urllib.error.HTTPError as error:
                with error:
                    if not left or error.code not in TRANSIENT:
                        raise self._failure(f"HTTP {error.code}") from None
            except TimeoutError:
                if not left:
                    raise self._failure(f"no answer within {self.timeout_s:g} s") from None
            except (urllib.error.URLError, HTTPException, OSError) as error:
                reason = getattr(error, "reason", None) or type(error).__name__
                timed_out = isinstance(reason, TimeoutError)
                if not (timed_out and left):
                    why = f"no answer within {self.timeout_s:g} s" if timed_out else reason
                    raise self._failure(str(why)) from None
        raise AssertionError("unreachable")

    def _request(self, text: str, seed: int) -> urllib.request.Request:
        content = {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "temperature": self.temperature,
            "max_tokens": self.most_tokens,
            "seed": seed,
        }
        headers = {"Content-Type": "application/json"}
        key = os.getenv(self.key_variable)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return urllib.request.Request(
            f"{self.base_url.rstrip('/')}/chat/completions",
            data=json.dumps(content).encode(),
            headers=headers,
        )

    def _reply(self, request: urllib.request.Request) -> str:
        with urllib.request.urlopen(request, timeout=self.timeout_s) as response:
            body = response.read()
        try:
            reply = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            raise self._failure("its answer is no chat completion") from None
        if not isinstance(reply, str) or not reply.strip():
            raise self._failure("its reply is empty")
        return reply

    def _failure(self, reason: str) -> ProposerError:
        # The host alone: an address may hold a password.
        host = urlsplit(self.base_url).hostname
        return ProposerError(f"proposer: {self.model} at {host}: {reason}")
