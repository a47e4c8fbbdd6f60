"""The proposer on a server, against a real local one that speaks the protocol, well or badly."""

import json
import logging

import numpy as np
import pytest
from support.chat_servers import KEY, completion, serving
from support.searches import OTHER, detector, found, reply, world

from speechdt.prompts.proposers.chat_server import ChatServer
from speechdt.prompts.proposers.contract import ProposerError
from speechdt.prompts.proposers.writer import Writer
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
        result = found(world(0), ask, writer, {"other": OTHER}, **budget)
        assert "score=" in server.asked[0][2]["messages"][0]["content"]
    assert {entry["step"] for entry in result["candidates"]} == {0, 1, 2, 3}
    assert len(result["failures"]) == 4
    assert result["rejected"]["malformed"] == 1
    printed = capfd.readouterr()
    told = json.dumps(result) + caplog.text + printed.out + printed.err
    assert KEY not in told
    assert np.isfinite(result["winner"]["score"])


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
