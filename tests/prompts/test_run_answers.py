"""All that runs on one base are asked: read once, as if each had been asked by itself, resumed."""

from dataclasses import replace

import pytest
from support import qwen_models as small
from support.trial_cells import write_cells
from transformers import Qwen2AudioForConditionalGeneration as Stock

from speechdt import find_detectors
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.parts import store_of
from speechdt.detectors.shared_base import SharedBase
from speechdt.errors import SpeechdtError
from speechdt.prompts.order_answers import TOKENS
from speechdt.prompts.run_answers import AskedRun, Further, ask_runs
from speechdt.store import Store
from speechdt.trials.conditions import Condition

pytestmark = pytest.mark.usefixtures("one_thread")

CLS = find_detectors()["qwen2_audio"]
CLIPS = 12
"""The same in both splits, each asked about once."""
NEUTRAL = Condition("neutral", "", (0.0,), 200, "white")
QUIET = Condition("level", "-40", (0.0,), 200, "white", level=-40.0)
ADAPTED = r".*language_model\..*\.(q_proj|v_proj|down_proj)"
OTHER = small.BASELINE.replace("Choose one", "Which is it")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint, an adapter, and cells of dev and test."""
    folder = tmp_path_factory.mktemp("base")
    base = small.save("qwen2_audio", folder / "model")
    small.save_adapter(folder / "adapter", base, Stock, ADAPTED)
    for split in ("dev", "test"):
        write_cells(folder / split, CLIPS)
    return folder


@pytest.fixture(scope="module")
def runs(folder):
    """A1, A2 with another prompt, B1 with an adapter."""
    own = {"A1": {}, "A2": {"prompt": OTHER}, "B1": {"adapter": str(folder / "adapter")}}
    base = {"model": str(folder / "model"), "device": "cpu", "prompt": small.BASELINE}
    return [
        AskedRun(
            name,
            Hearing("qwen2_audio", CLS, base | options),
            scores=True,
            orders=True,
            conditions=name == "A1",
            foils=False,
        )
        for name, options in own.items()
    ]


@pytest.fixture(scope="module")
def cells(folder):
    return [path for split in ("dev", "test") for path in sorted((folder / split).glob("*"))]


@pytest.fixture(scope="module")
def further(folder):
    dev = sorted((folder / "dev").glob("*"))
    return Further(dev, [-26.0], 4, 4, [], [], [], [])


def kept(cache):
    """Return all that is kept, by the file it is in."""
    stored = {}
    for path in sorted(cache.rglob("*.sqlite")):
        store = Store(path)
        stored[path.relative_to(cache).as_posix()] = store.everything()
        store.close()
    return stored


@pytest.fixture(scope="module")
def by_themselves(runs, cells, further, tmp_path_factory):
    """What is kept after each run was asked by a job of its own."""
    cache = tmp_path_factory.mktemp("alone")
    for run in runs:
        asked, failures = ask_runs([run], SharedBase().built, cells, further, cache, "1-of-1")
        assert (asked, failures) == ({run.name: CLIPS}, [])
    return kept(cache)


def test_a_base_is_read_once_for_the_same_answers(runs, cells, further, by_themselves, tmp_path):
    shared = SharedBase()
    asked, failures = ask_runs(runs, shared.built, cells, further, tmp_path, "1-of-1")
    assert (asked, failures) == (dict.fromkeys(("A1", "A2", "B1"), CLIPS), [])
    assert shared.loads == 1
    assert kept(tmp_path) == by_themselves  # to the last bit
    again = SharedBase()
    asked, _ = ask_runs(runs, again.built, cells, further, tmp_path, "1-of-1")
    assert set(asked.values()) == {0}
    assert again.loads == 0


def test_a_kill_costs_what_was_in_hand(runs, cells, further, by_themselves, tmp_path, monkeypatch):
    answered = []
    score, answer = CLS.score, CLS.log_odds

    def dies(self, clips):
        if len(answered) == 5:
            raise KeyboardInterrupt
        answered.append(len(clips))
        return score(self, clips)

    monkeypatch.setattr(CLS, "score", dies)
    with pytest.raises(KeyboardInterrupt):
        ask_runs(runs, SharedBase().built, cells, further, tmp_path, "1-of-1")
    asked_again = []

    def counts(self, clips, *rest, **more):
        asked_again.append(len(clips))
        return answer(self, clips, *rest, **more)

    monkeypatch.setattr(CLS, "score", score)
    monkeypatch.setattr(CLS, "log_odds", counts)
    asked, _ = ask_runs(runs, SharedBase().built, cells, further, tmp_path, "1-of-1")
    assert asked["A1"] == 0
    assert kept(tmp_path) == by_themselves
    before = sum(asked_again)
    ask_runs(runs, SharedBase().built, cells, further, tmp_path, "1-of-1")
    assert sum(asked_again) == before


def test_a_run_that_fails_holds_up_no_other(runs, cells, further, tmp_path, monkeypatch):
    score = CLS.score

    def fails(self, clips):
        if self.prompt == OTHER:
            raise SpeechdtError("A2 is lost for words")
        return score(self, clips)

    monkeypatch.setattr(CLS, "score", fails)
    asked, failures = ask_runs(runs, SharedBase().built, cells, further, tmp_path, "1-of-1")
    assert asked == {"A1": CLIPS, "B1": CLIPS}
    assert failures == ["A2 is lost for words"]


def test_parts_share_out_cells_and_the_rest(runs, cells, further, by_themselves, tmp_path):
    for part in ("1-of-2", "2-of-2"):
        shared = SharedBase()
        _, failures = ask_runs(runs, shared.built, cells, further, tmp_path, part)
        assert (shared.loads, failures) == (1, [])
    for run in runs:  # as the job of each run does
        store_of(tmp_path / "scores" / run.hearing.store_name(), run.name).close()
    stored = kept(tmp_path)
    assert stored.keys() == by_themselves.keys()
    for file, values in stored.items():  # in other batches
        numbers = {key: value for key, value in values.items() if key != TOKENS}
        assert numbers == pytest.approx({k: by_themselves[file][k] for k in numbers}, abs=1e-6)
        assert values.keys() == by_themselves[file].keys()


def test_a_job_for_scores_and_one_for_all_else_ask_what_one_job_asks(
    runs, cells, further, by_themselves, tmp_path
):
    first = [replace(run, orders=False, conditions=False) for run in runs]
    rest = [replace(run, scores=False) for run in runs]
    for some, clips in ((first, CLIPS), (rest, 0)):
        asked, failures = ask_runs(some, SharedBase().built, cells, further, tmp_path, "1-of-1")
        assert (set(asked.values()), failures) == ({clips}, [])
    assert kept(tmp_path) == by_themselves


def test_conditions_are_heard_as_well(runs, cells, folder, tmp_path):
    named = tmp_path / "neutral.parquet"
    named.write_bytes((folder / "test" / "snr0_dur500.parquet").read_bytes())
    further = Further(cells[:1], [], 4, 4, [NEUTRAL, QUIET], [named], [], [])
    ask_runs(runs[:1], SharedBase().built, cells[:1], further, tmp_path / "cache", "1-of-1")
    clips_at_levels = [len(of) for of in kept(tmp_path / "cache" / "scores").values()]
    assert sorted(clips_at_levels) == [6, 12]  # as stored, those of dev as well; at -40 dBFS
