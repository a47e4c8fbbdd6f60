"""The proposer on a server, against a real local one that speaks the protocol, well or badly."""

import json
import logging
import sys
import time
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest
from support.chat_servers import KEY, Raw, Recorder, completion, running, serving
from support.searches import OTHER, detector, reply, run_search, world

from speechdt.detectors.plugins import find_detectors
from speechdt.http_client import ServerError, check_url, post_json
from speechdt.prompts.proposers.chat_server import ChatServer
from speechdt.prompts.proposers.contract import ProposerError
from speechdt.prompts.proposers.writer import Writer, questions_in
from speechdt.prompts.settings import SearchSettings


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def test_it_asks_in_openai_s_protocol():
    with serving(lambda _: (200, completion("hello"), 0)) as (server, url):
        ask = ChatServer(url, "tiny", temperature=0.5, most_tokens=9)
        assert ask("say hello", seed=3) == "hello"
    ((path, authorization, asked),) = server.asked
    assert path == "/v1/chat/completions"
    assert authorization == f"Bearer {KEY}"
    settings = {"model": "tiny", "temperature": 0.5, "max_tokens": 9, "seed": 3}
    assert asked == settings | {"messages": [{"role": "user", "content": "say hello"}]}


@pytest.mark.parametrize(
    ("answer", "why", "requests"),
    [
        ((200, completion(""), 0), "its reply is empty", 1),
        ((200, '{"choices": []}', 0), "its answer is no chat completion", 1),
        ((200, "<html>not JSON", 0), "its answer is no chat completion", 1),
        ((400, '{"error": "refused"}', 0), "HTTP 400", 1),
        ((503, "busy", 0), "HTTP 503", 2),
        ((200, completion("late"), 0.5), "no answer within 0.2 s", 2),
    ],
)
def test_answers_that_are_none_are_one_line_without_the_key(answer, why, requests):
    with serving(lambda _: answer) as (server, url):
        with pytest.raises(ProposerError) as error:
            ChatServer(url, "tiny", timeout_s=0.2)("hello", seed=0)
        assert len(server.asked) == requests
    assert str(error.value) == f"proposer: tiny at 127.0.0.1: {why}"
    assert error.value.__cause__ is None


def test_a_wrong_key_and_a_server_that_is_not_there(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    with (
        serving(lambda _: (200, completion("hello"), 0)) as (_, url),
        pytest.raises(ProposerError, match="HTTP 401"),
    ):
        ChatServer(url, "tiny")("hello", seed=0)
    with pytest.raises(ProposerError, match="refused") as error:
        ChatServer(url, "tiny")("hello", seed=0)
    assert "sk-other" not in str(error.value)


def test_a_busy_server_is_asked_again():
    def answer(number):
        return (429, "busy", 0) if number == 0 else (200, completion("hello"), 0)

    with serving(answer) as (_, url):
        assert ChatServer(url, "tiny")("hello", seed=0) == "hello"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_takes_neither_key_nor_question_elsewhere(status):
    def there():
        return f"HTTP/1.1 {status} X\r\nLocation: {elsewhere}/x?secret=1\r\n\r\n".encode()

    with (
        running(Recorder, seen=[]) as (other, elsewhere),
        running(Raw, parts=lambda: [there()]) as (_, url),
        pytest.raises(ProposerError) as error,
    ):
        ChatServer(url, "tiny")("hello", seed=0)
    assert other.seen == []
    assert str(error.value) == (
        f"proposer: tiny at 127.0.0.1: it redirects (HTTP {status}) to http://127.0.0.1, and what "
        "is sent by POST is not sent on; name the final address"
    )


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/v1", "localhost:8000/v1"])
def test_an_address_of_another_scheme_is_refused_before_any_job(url):
    with pytest.raises(ValueError, match=r"proposer: base_url: .* must with http:// or https://"):
        SearchSettings(proposer={"kind": "openai", "base_url": url, "model": "tiny"})


FAR = "http://models.example:8000/v1"


def test_plain_http_goes_beyond_this_machine_only_if_asked():
    openai = {"kind": "openai", "base_url": FAR, "model": "tiny"}
    with pytest.raises(ValueError, match=r"proposer: base_url: plain http beyond this machine"):
        SearchSettings(proposer=openai)
    assert SearchSettings(proposer=openai | {"plain_http": True}).server().plain_http
    with pytest.raises(ValueError, match=r"option 'plain_http' cannot be 'yes'"):
        SearchSettings(proposer=openai | {"plain_http": "yes"})
    with pytest.raises(ServerError, match=r"^plain http beyond this machine"):
        post_json(FAR, {}, token=KEY, timeout_s=1)
    check_url(FAR, plain_http=True)


@pytest.mark.parametrize("host", ["localhost", "me.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_plain_http_may_stay_on_this_machine(host):
    check_url(f"http://{host}:8000/v1")


@pytest.mark.parametrize("host", ["10.0.0.1", "node7", "127.0.0.1.example", "[fe80::1]", "0.0.0.0"])
def test_what_is_beyond_this_machine(host):
    check_url(f"https://{host}/v1")
    with pytest.raises(ValueError, match="plain http beyond"):
        check_url(f"http://{host}/v1")


START = b"HTTP/1.1 200 OK\r\n"


def endless():
    yield START + b"\r\n"
    while True:
        yield b" " * 65536


def dripping(head, rest):
    """Yield `rest` byte by byte, each sooner than a silence would be noticed."""

    def parts():
        yield head
        for byte in rest:
            time.sleep(0.1)
            yield bytes([byte])

    return parts


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (endless, "its reply is longer than 1000000 bytes"),
        (dripping(START + b"\r\n", completion("late").encode() * 9), "no answer within 0.4 s"),
        (dripping(START, b"X-Padding: " + b"x" * 200), "no answer within 0.4 s"),
        (lambda: [START + b"Content-Encoding: gzip\r\n\r\n..."], "its reply is compressed"),
        (lambda: [b"nothing that HTTP knows\r\n\r\n"], "illegal status line"),
        (lambda: [START + b"\r\n" + b"[" * 200_000], "its answer is no chat completion"),
    ],
    ids=["endless", "dripping body", "dripping head", "compressed", "no HTTP", "deep"],
)
def test_replies_that_would_never_end_or_are_none_end_soon(parts, why):
    began = time.monotonic()
    with running(Raw, parts=parts) as (_, url), pytest.raises(ProposerError) as error:
        ChatServer(url, "tiny", timeout_s=0.4 if "0.4" in why else 60)("hello", seed=0)
    assert time.monotonic() - began < 10
    assert str(error.value).startswith(f"proposer: tiny at 127.0.0.1: {why}")
    assert "\n" not in str(error.value)


def test_a_key_that_no_header_can_carry_is_not_quoted(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-first\nsk-second")
    with running(Recorder, seen=[]) as (server, url), pytest.raises(ProposerError) as error:
        ChatServer(url, "tiny")("hello", seed=0)
    assert "header Authorization" in str(error.value)
    assert "sk-" not in str(error.value)
    assert server.seen == []


def test_a_password_in_the_address_is_sent_and_logged_nowhere(monkeypatch, caplog):
    monkeypatch.delenv("OPENAI_API_KEY")
    caplog.set_level(logging.DEBUG)
    with running(Recorder, seen=[]) as (server, url):
        ask = ChatServer(url.replace("http://", "http://me:hunter2@"), "tiny")
        assert ask("hello", seed=0) == "from elsewhere"
    ((_, headers),) = server.seen
    assert headers["Authorization"] == "Basic bWU6aHVudGVyMg=="
    assert "hunter2" not in caplog.text


class Moved(BaseHTTPRequestHandler):
    """Sends whoever asks to another place."""

    def do_HEAD(self):
        self.send_response(307)
        self.send_header("Location", self.server.to)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_the_hub_s_token_stays_with_the_hub(monkeypatch):
    """A hub may send a HEAD to where a file lies; the token is none of that place's business."""
    monkeypatch.setenv("HF_TOKEN", KEY)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    address = "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE"
    find_detectors()
    reach = sys.modules["speechdt_backends.qwen.reachable"]
    with running(Recorder, seen=[]) as (other, elsewhere):
        with running(Moved, to=elsewhere) as (_, url):
            monkeypatch.setattr(address, url + "/{repo_id}/{revision}/{filename}")
            reach.check_reachable("owner/model-that-moved")
        ((method, headers),) = other.seen
        assert method == "HEAD"
        assert KEY not in str(headers)
        monkeypatch.setattr(address, elsewhere + "/{repo_id}/{revision}/{filename}")
        reach.check_reachable("owner/model")
        assert other.seen[-1][1]["Authorization"] == f"Bearer {KEY}"


def test_a_search_lives_through_all_of_it_and_the_key_is_nowhere(caplog, capfd):
    answers = [
        (200, completion(reply(0)), 0),
        (200, completion("I cannot help with that."), 0),
        (200, completion(""), 0),
        (200, "{}", 0),
        (200, completion("late"), 0.5),
        (200, completion("late"), 0.5),
        (403, "no", 0),
    ]

    def answer(number):
        rest = (200, completion(reply(number)), 0)
        return answers[number] if number < len(answers) else rest

    caplog.set_level(logging.DEBUG)
    with serving(answer) as (server, url):
        writer = Writer(ChatServer(url, "tiny", timeout_s=0.2))
        ask = detector(world(0), lambda _: 1, 0.3)
        budget = {"steps": 3, "candidates": 3, "attempts": 6}
        result = run_search(world(0), ask, writer, {"other": OTHER}, **budget)
        assert "score=" in server.asked[0][2]["messages"][0]["content"]
    assert {entry["step"] for entry in result["candidates"]} == {0, 1, 2, 3}
    assert len(result["failures"]) == 4
    assert result["rejected"]["malformed"] == 1
    printed = capfd.readouterr()
    output = json.dumps(result) + caplog.text + printed.out + printed.err
    assert KEY not in output
    assert np.isfinite(result["winner"]["score"])


FLOODS = [
    (200, " " * 1_100_000, 0),  # longer than is read
    (200, "[" * 200_000, 0),  # deep
    (302, "", 0),
    (200, completion("<question" * 100_000), 0),  # in a pattern, minutes
]


def test_a_search_lives_through_floods():
    def answer(number):
        return FLOODS[number] if number < len(FLOODS) else (200, completion(reply(number)), 0)

    began = time.monotonic()
    with serving(answer) as (_, url):
        ask = detector(world(0), lambda _: 1, 0.3)
        budget = {"steps": 2, "candidates": 3, "attempts": 9}
        result = run_search(
            world(0), ask, Writer(ChatServer(url, "tiny")), {"other": OTHER}, **budget
        )
    assert time.monotonic() - began < 30
    assert {entry["step"] for entry in result["candidates"]} == {0, 1, 2}
    assert len(result["failures"]) == 3
    assert result["rejected"]["malformed"] == 1
    assert all("\n" not in line and len(line) < 300 for line in result["failures"])


@pytest.mark.parametrize("piece", ["<question", "<question>", "</question>", "\nuser", " ", "\n#"])
def test_replies_are_read_in_linear_time(piece):
    began = time.monotonic()
    questions_in(piece * (1_000_000 // len(piece)))
    assert time.monotonic() - began < 10


def test_server_and_model_may_be_named_by_the_environment(monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ValueError, match="needs base_url, here or in OPENAI_BASE_URL"):
        SearchSettings(proposer="openai")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    monkeypatch.setenv("OPENAI_MODEL", "tiny")
    assert SearchSettings(proposer="openai").server() == ChatServer("http://localhost:1/v1", "tiny")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "accuracy"}, "objective 'accuracy' is none of: log_loss, auc"),
        ({"proposer": "gpt"}, "proposer 'gpt' is none of: template, self, local, openai"),
        ({"proposer": {"kind": "self", "model": "x"}}, "proposer 'self' has no option 'model'"),
        ({"proposer": "local"}, "proposer 'local' needs a model"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        SearchSettings(**settings)
