"""GEPA as the optimiser of a search, with fake detectors whose best prompt is known."""

from functools import partial

import numpy as np
import pytest
from support.searches import BASELINE, OTHER, detector, judge, planted, reply, run_search, world

from speechdt.prompts.proposers.contract import ProposerError
from speechdt.prompts.proposers.writer import Writer, revision_prompt
from speechdt.prompts.race import FEWEST_ITEMS
from speechdt.prompts.settings import SearchSettings

pytest.importorskip("gepa")


evolved = partial(run_search, optimizer="gepa")


def test_it_climbs_towards_a_planted_optimum_at_no_more_cost_than_its_control():
    better = 0
    for seed in range(4):
        trials = world(seed)
        ask = detector(trials, lambda prompt: 0.6 + 0.35 * planted(prompt), noise=0.1)
        result = evolved(trials, ask, steps=10, candidates=8)
        control = result["control"]
        assert 0 < result["pairs"] <= control["pairs"]
        assert result["winner"]["gain_low"] > 0
        assert all(entry["items"] >= FEWEST_ITEMS for entry in result["candidates"])
        better += planted(result["winner"]["prompt"]) > planted(control["winner"]["prompt"])
    assert better >= 3


def test_verdicts_are_those_of_the_same_prompts_judged_alone():
    trials = world(2)
    ask = detector(trials, lambda prompt: 0.6 + 0.35 * planted(prompt), noise=0.1)
    result = evolved(trials, ask, start={"other": OTHER}, steps=4)
    everything = np.arange(len(trials.item))
    finalists = [c for c in result["candidates"] if c["clips"] == len(trials.item)]
    assert [entry["name"] for entry in finalists].count("other") == 1
    assert result["winner"] == max(finalists, key=lambda entry: entry["gain_low"])
    for entry in finalists:
        answers = ask([BASELINE, entry["prompt"]], everything)
        (alone,) = judge(trials).judge(answers[1:], answers[0], everything)
        assert (entry["gain"], entry["gain_low"]) == pytest.approx((alone.gain, alone.gain_low))


def test_contributions_average_to_the_objective():
    trials = world(1)
    trials.speech = trials.item < 20  # one class is rare
    everything = np.arange(len(trials.item))
    p = detector(trials, lambda _: 1, 0.1)(["x"], everything)[0]
    (verdict,) = judge(trials).judge(p[None], p, everything)
    assert judge(trials).contributions(p, everything).mean() == pytest.approx(-verdict.score)


def test_a_writer_is_told_what_the_prompt_gets_wrong():
    trials = world(0)
    texts = []

    def write(text, seed):
        texts.append(text)
        return reply(len(texts))

    ask = detector(trials, lambda prompt: 0.2 if "0 or" in prompt else 1, 0.1)
    result = evolved(trials, ask, Writer(write), steps=3)
    revisions = [text for text in texts if "was asked" in text]
    assert len(revisions) == max(entry["step"] for entry in result["candidates"])
    assert BASELINE in revisions[0]
    lines = [line for line in revisions[0].splitlines() if line.startswith("- clip ")]
    assert len(lines) == 8
    for line in lines:
        clip, p = int(line.split()[2].strip(":")), float(line.split()[-1])
        assert p == pytest.approx(ask([BASELINE], np.array([clip]))[0, 0], abs=0.005)
        assert (p < 0.5) == trials.speech[clip]
    assert "Write 1 new question that differs" in revisions[0]


def test_a_writer_that_fails_ends_it_with_what_was_found():
    trials = world(0)

    def write(text, seed):
        raise ProposerError("connection refused")

    result = evolved(trials, detector(trials, lambda _: 1, 0.3), Writer(write), {"o": OTHER})
    assert [entry["name"] for entry in result["candidates"]] == ["o"]


def test_it_is_the_same_again_and_asks_nothing_twice():
    trials = world(3)
    counts = {}
    plain = detector(trials, lambda prompt: 0.6 + 0.35 * planted(prompt), 0.1)

    def ask(prompts, clips):
        for pair in ((prompt, clip) for prompt in prompts for clip in clips):
            counts[pair] = counts.get(pair, 0) + 1
        return plain(prompts, clips)

    first = evolved(trials, ask, steps=2)
    control = {entry["prompt"] for entry in first["control"]["candidates"]} | {BASELINE}
    assert {n for (prompt, _), n in counts.items() if prompt not in control} == {1}
    assert evolved(trials, plain, steps=2) == first


def test_settings_name_what_is_missing(monkeypatch):
    with pytest.raises(ValueError, match="optimizer 'gopa' is none of: opro, gepa"):
        SearchSettings(optimizer="gopa")
    monkeypatch.setattr("speechdt.prompts.settings.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"pip install 'speechdt\[gepa\]'"):
        SearchSettings(optimizer="gepa")


def test_the_revision_prompt_holds_prompt_mistakes_and_rules():
    text = revision_prompt(OTHER, ["speech of 200 ms", "music"])
    assert text.index(OTHER) < text.index("- speech of 200 ms\n- music") < text.index("Each must")
