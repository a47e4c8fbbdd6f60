"""A served model is the model itself; servers that fail lose nothing; nothing is asked twice."""

import sys

import numpy as np
import pytest
from support import qwen_models as small
from support.audio_servers import KEY, Model, serving
from support.chat_servers import running
from support.trial_cells import write_cells

from speechdt import check_options, find_detectors
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors import call
from speechdt.detectors.contract import Unfinished
from speechdt.detectors.scoring import ScoreError, score_cells
from speechdt.prompts.answer_store import PromptStore
from speechdt.prompts.asking import PromptTrials
from speechdt.prompts.order_answers import OrderAnswers
from speechdt.store import Store
from speechdt.trials.cells import read_cell
from speechdt.trials.clips import in_memory
from speechdt.workflow.searches import check_search
from speechdt.workflow.variants import ConfigError, check_variant

pytestmark = pytest.mark.usefixtures("one_thread")

CLS = find_detectors()["served"]
protocol = sys.modules[CLS.__module__.replace("detector", "protocol")]
OTHER = "Is anybody speaking?\nA) yes\nB) no"


@pytest.fixture(scope="module")
def nano(tmp_path_factory):
    folder = small.save("qwen2_audio", tmp_path_factory.mktemp("nano") / "model")
    return find_detectors()["qwen2_audio"](model=str(folder), device="cpu")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return write_cells(tmp_path_factory.mktemp("cells") / "dev", 24)


@pytest.fixture
def clips(cells):
    return [from_flac_bytes(audio) for cell in cells for audio in read_cell(cell)["audio"]]


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(protocol, "PAUSE_S", 0.001)


def detector(url, **options):
    return CLS(**{"model": "nano", "prompt": small.BASELINE, "base_url": url} | options)


def alone(nano, clips):
    """Return scores of clips one by one, as a server is asked: batches round otherwise."""
    return np.concatenate([nano.score([clip]) for clip in clips])


def test_it_is_the_model_itself(nano, clips):
    with serving(Model(nano)) as (server, url):
        served = detector(url, concurrency=4)
        np.testing.assert_allclose(served.score(clips), alone(nano, clips), atol=1e-6)
        assert server.requests == len(clips)
        assert 1 < server.most_at_once <= 4
        few, both = clips[:5], detector(url, option_order="both")
        expected = nano.log_odds(few, [small.BASELINE, OTHER])
        np.testing.assert_allclose(both.log_odds(few, [small.BASELINE, OTHER]), expected, atol=1e-4)
        p = 1 / (1 + np.exp(-expected.mean(axis=0)))
        np.testing.assert_allclose(both.score_prompts(few, [small.BASELINE, OTHER]), p, atol=1e-6)
        np.testing.assert_allclose(
            detector(url, speech_is="B").score(few), 1 - served.score(few), atol=1e-9
        )
        mass = nano.answer_mass(few)
        np.testing.assert_allclose(served.answer_mass(few), mass, rtol=1e-5)


def test_failing_answers_are_asked_again_and_only_they(nano, clips):
    faults = [500, "truncated", 429, "slow", 503, b"<html>", b""]

    def fault(request):
        return faults[request // 3 % len(faults)] if request % 3 == 0 else None

    model = Model(nano)
    with serving(model, fault) as (server, url):
        # On a busy machine a sound answer may take as long as that, which costs a try as well.
        served = detector(url, timeout_s=0.5, tries=10)
        np.testing.assert_allclose(served.score(clips), alone(nano, clips), atol=1e-6)
    assert server.requests > len(clips)
    # What broke off was answered, as far as the server knows.
    assert sum(model.answered.values()) <= len(clips) + server.requests // 3


def test_a_killed_server_loses_nothing(nano, cells, tmp_path):
    """Scores that came before it went are kept; the next job asks for the others alone."""
    store = Store(tmp_path / "scores.sqlite")
    outputs = [tmp_path / f"{cell.stem}.parquet" for cell in cells]
    model, files = Model(nano), list(zip(cells, outputs, strict=True))

    def killed(request):
        return 502 if request > 8 else None

    options = {"tries": 2, "concurrency": 3}
    with serving(model, killed) as (_, url), pytest.raises(ScoreError) as stopped:
        score_cells(lambda: detector(url, **options), files, store, "variants.C1")
    assert str(stopped.value) == "variants.C1: nano at 127.0.0.1: HTTP 502"
    assert sum(model.answered.values()) == 8
    with pytest.raises(ScoreError, match="Connection refused"):
        score_cells(lambda: detector(url, **options), files, store, "variants.C1")
    with serving(model) as (server, url):
        asked = score_cells(lambda: detector(url, **options), files, store, "variants.C1")
    assert (asked, server.requests) == (16, 16)
    assert set(model.answered.values()) == {1}
    score_cells(lambda: pytest.fail("built"), files, store, "variants.C1")


def test_a_search_goes_on_where_the_server_stopped(nano, cells, tmp_path):
    model, prompts = Model(nano), [small.BASELINE, OTHER]
    store = PromptStore(tmp_path / "prompts.sqlite")
    with serving(model, lambda request: 401 if request > 30 else None) as (_, url):
        trials = PromptTrials(cells, lambda: detector(url), store)
        with pytest.raises(Unfinished, match="HTTP 401"):
            trials.ask_all(prompts)
    with serving(model) as (_, url):
        answers = PromptTrials(cells, lambda: detector(url), store).ask_all(prompts)
    assert set(model.answered.values()) == {1}
    assert np.isfinite(answers).all()


@pytest.mark.parametrize("stops_after", [7, 30])
def test_order_bias_asks_nothing_twice(nano, cells, tmp_path, stops_after):
    """It stops in the first order, or in the second, of the questions of a cell."""
    model, store = Model(nano), Store(tmp_path / "order.sqlite")
    clips = in_memory([clip for cell in cells for clip in read_cell(cell)["audio"]])
    some = clips.some(range(0, len(clips), 4))
    waveforms = [from_flac_bytes(clip) for clip in clips.flac]
    stopping = serving(model, lambda request: 401 if request > stops_after else None)
    with stopping as (_, url), pytest.raises(Unfinished, match="HTTP 401"):
        OrderAnswers(lambda: detector(url), store).log_odds(clips)
    with serving(model) as (server, url):
        kept = OrderAnswers(lambda: detector(url), store)
        odds, mass = kept.log_odds(clips), kept.answer_mass(some)
        assert server.requests + stops_after >= 2 * len(clips)
        again = OrderAnswers(lambda: detector("http://127.0.0.1:1/v1"), store)
        np.testing.assert_array_equal(again.log_odds(clips), odds)
        np.testing.assert_array_equal(again.answer_mass(some), mass)
    expected = np.concatenate([nano.log_odds([clip])[:, 0] for clip in waveforms], axis=1)
    np.testing.assert_allclose(odds, expected, atol=1e-4)
    np.testing.assert_allclose(mass, nano.answer_mass(waveforms[::4]), rtol=1e-4)
    # Of the mass, what an earlier process has asked is asked for once more.
    assert max(model.answered.values()) <= 2
    assert sum(model.answered.values()) <= 2 * len(clips) + len(waveforms[::4])


def test_the_mass_of_what_was_just_asked_costs_nothing(nano, clips):
    with serving(Model(nano)) as (server, url):
        served = detector(url)
        served.log_odds(clips)
        asked = server.requests
        served.answer_mass(clips[:5])
        assert server.requests == asked == 2 * len(clips)


def completion(*listed, content=None):
    top = [{"token": token, "logprob": p} for token, p in listed]
    return {"choices": [{"logprobs": {"content": content or [{"top_logprobs": top}]}}]}


@pytest.mark.parametrize(
    ("reply", "log_p", "listed"),
    [
        (completion(("A", -0.1), ("B", -3.0), ("C", -9.0)), (-0.1, -3.0), (True, True)),
        (completion(("A", -0.1), ("The", -3.0), ("C", -9.0)), (-0.1, -9.0), (True, False)),
        (completion(("The", -0.1), ("C", -9.0)), (-9.0, -9.0), (False, False)),
        (completion((" A", -0.1), ("▁B", -2.0), ("B ", -1.0)), (-0.1, -1.0), (True, True)),
        (completion((" A", -0.1), ("A", -2.0), ("B", -1.0)), (-2.0, -1.0), (True, True)),
    ],
)
def test_an_answer_that_is_not_listed_is_bounded_by_the_least(reply, log_p, listed):
    answer = protocol.answer_of(reply)
    assert (answer.log_p, answer.listed) == (log_p, listed)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        [],
        None,
        {"choices": []},
        {"choices": [{"logprobs": None}]},
        completion(content=[{"token": "A"}]),
        completion(("A", "x")),
        completion(("A", float("nan"))),
        completion(("A", 0.7)),
        completion(),
    ],
)
def test_an_answer_that_is_none(reply):
    with pytest.raises(protocol.ServedError) as refused:
        protocol.answer_of(reply)
    assert "\n" not in str(refused.value)


def test_those_that_are_not_listed_are_counted(nano, clips, caplog):
    with serving(Model(nano, between=True)) as (_, url):
        served = detector(url, top_logprobs=4)
        z = served.log_odds(clips, both=False)[0, 0]
    exact = nano.log_odds(clips, both=False)[0, 0]
    bounded = np.abs(exact) > 0.1 + 2 * 0.1
    bound = np.sign(exact) * (0.1 + 2 * 0.1)
    np.testing.assert_allclose(z, np.where(bounded, bound, exact), atol=1e-4)
    assert (served.asked, served.unlisted) == (len(clips), bounded.sum())
    assert bounded.any()
    assert (
        f"in {served.unlisted} of {len(clips)} answers so far, A or B is not among" in caplog.text
    )


def test_a_wrong_answer_is_not_asked_for_again_and_the_key_is_nowhere(nano, clips, caplog, capfd):
    with serving(Model(nano), lambda request: b'{"choices": []}') as (server, url):
        with pytest.raises(
            Unfinished, match="lists no tokens with their log-probabilities"
        ) as error:
            detector(url, concurrency=1).score(clips)
        assert server.requests == 1
        address = url.replace("http://", "http://user:sk-in-the-address@")
        with pytest.raises(Unfinished):
            detector(address, concurrency=1).score(clips[:1])
    messages = str(error.value) + caplog.text + "".join(capfd.readouterr())
    assert KEY not in messages
    assert "sk-in-the-address" not in messages


def checked(url, **options):
    options = {"model": "m", "prompt": OTHER, "base_url": url} | options
    check_options(CLS, options)
    CLS.check(**options)


def test_what_is_refused_before_any_job(nano, monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with serving(Model(nano)) as (_, url):
        checked(url)
        for options, why in (
            ({"concurrency": 0}, "concurrency is 0"),
            ({"top_logprobs": 21}, "top_logprobs is 21, and may be 20 at most"),
            ({"timeout_s": 0.0}, "timeout_s is 0"),
            ({"prompt": "A) yes\nB) no\nC) both"}, "here is C"),
            ({"prompt": "Speech?", "option_order": "both"}, "one line 'A"),
            ({"base_url": None}, "base_url: name the server's address"),
            ({"base_url": "ftp://x"}, "base_url: the address begins with ftp://"),
        ):
            with pytest.raises(ValueError, match=why) as refused:
                checked(url, **options)
            assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match=r"the server at 127.0.0.1 cannot be reached: Connection"):
        checked(url)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:pw@127.0.0.1:1/v1")
    with pytest.raises(ValueError, match=r"server at 127.0.0.1 cannot be reached") as refused:
        checked(None)
    assert "pw" not in str(refused.value)


def test_settings_that_change_no_answer_do_not_ask_again():
    options = {"model": "m", "prompt": "p", "base_url": "https://x/v1"}
    name = call.store_name("served", CLS, options)
    assert call.store_name("served", CLS, options | {"concurrency": 99, "timeout_s": 1.0}) == name
    assert call.store_name("served", CLS, options | {"model": "n"}) != name


def test_it_can_propose_prompts_itself(nano):
    from support.chat_servers import Handler, completion

    def answer(_request):
        return 200, completion("hello"), 0

    with running(Handler, answer=answer, asked=[]) as (server, url):
        assert detector(url).generate("Write.", 1, temperature=0.5, most_tokens=9) == "hello"
        assert server.asked[0][2]["max_tokens"] == 9


def test_it_is_a_row_and_what_a_search_is_on(nano):
    prompts = {"baseline": small.BASELINE}
    resolve = {"models": {}, "prompts": prompts, "nano_folder": "r/nano"}
    with serving(Model(nano)) as (_, url):
        asked = {"backend": "served", "model": "m", "base_url": url}
        entry = asked | {"prompt": {"search": "omni"}}
        options = check_variant("C1", entry, CLS, **resolve, searches=["omni"])
        assert options["model"] == "m"
        checked = check_search("omni", {"on": asked, "proposer": "self"}, {}, **resolve)
        assert checked.options["prompt"] == small.BASELINE
    with pytest.raises(ConfigError, match=r"variants.C1: .*the server at 127.0.0.1 cannot be"):
        check_variant("C1", entry, CLS, **resolve, searches=["omni"])
