"""Server of OpenAI's chat protocol with audio, around a detector of ours."""

import base64
import io
import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import numpy as np
import soundfile

from support.chat_servers import running

KEY = "sk-very-secret"


class Model:
    """Log-probabilities of the first token of a reply, by a language model that hears.

    Parameters
    ----------
    detector : AnswerDetector
    between : bool
        Other tokens are likelier than the second answer, rather than less likely than both.

    Attributes
    ----------
    answered : Counter
        How often each clip and prompt was answered.
    """

    def __init__(self, detector, between=False):
        self._detector, self._between, self._lock = detector, between, threading.Lock()
        self.answered = Counter()

    def __call__(self, asked):
        *system, user = asked["messages"]
        audio, text = user["content"]
        assert (audio["type"], text["type"]) == ("input_audio", "text")
        assert (asked["max_tokens"], asked["logprobs"]) == (1, True)
        sound = base64.b64decode(audio["input_audio"]["data"])
        clip, rate = soundfile.read(io.BytesIO(sound), dtype="float32")
        assert rate == 16000
        with self._lock:  # one model, asked by many
            question = self._detector._question(text["text"])
            with self._detector.engine.decoder.whole_vocabulary():
                a, b, total = self._detector.engine.answer_logits([clip], [question])[0, 0]
            self.answered[sound, text["text"], len(system)] += 1
        least = max(a, b) if self._between else min(a, b)
        rest = least - total - np.linspace(0.1, 3, 30)
        listed = [("A", a - total), ("B", b - total), *((f"w{i}", p) for i, p in enumerate(rest))]
        listed.sort(key=lambda one: -one[1])
        top = [{"token": t, "logprob": p} for t, p in listed[: asked["top_logprobs"]]]
        first = {"token": top[0]["token"], "logprob": top[0]["logprob"], "top_logprobs": top}
        message = {"role": "assistant", "content": first["token"]}
        choice = {"index": 0, "message": message, "logprobs": {"content": [first]}}
        return {"object": "chat.completion", "choices": [choice]}


class Handler(BaseHTTPRequestHandler):
    """Asks the model of its server, unless the server's `fault` says what to do instead."""

    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.requests += 1
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
            fault = self.server.fault(self.server.requests)  # by its own number, whoever comes next
        try:
            self._answer(content, fault)
        except OSError:
            pass  # nobody waits any longer
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def _answer(self, content, fault):
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            fault = 401
        if fault == "slow":
            time.sleep(1.0)
            return
        if isinstance(fault, int):
            self.send_response(fault)
            self.end_headers()
            return
        body = (
            fault if isinstance(fault, bytes) else json.dumps(self.server.model(content)).encode()
        )
        if fault == "truncated":
            body = body[: len(body) // 2]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving(model, fault=lambda request: None):
    """Serve a model; `fault` gives what goes wrong with a request by its number, from 1."""
    settings = {"model": model, "fault": fault, "lock": threading.Lock()}
    with running(Handler, **settings, requests=0, at_once=0, most_at_once=0) as served:
        yield served
