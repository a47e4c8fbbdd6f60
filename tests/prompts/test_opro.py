"""Prompt search with fake detectors whose best prompt, or lack of one, is known."""

import numpy as np
import pytest
import yaml
from scipy.special import expit
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from support.searches import (
    BASELINE,
    OTHER,
    PLANTED,
    TEMPLATE,
    detector,
    judge,
    planted,
    reply,
    run_search,
    world,
)

from speechdt.prompts.answer_store import CHUNK, AskOnce, PromptStore
from speechdt.prompts.candidates import Candidates
from speechdt.prompts.objectives import OBJECTIVES
from speechdt.prompts.opro import history
from speechdt.prompts.proposers.contract import ProposerError, Tried
from speechdt.prompts.proposers.template import PARTS
from speechdt.prompts.proposers.writer import Writer, meta_prompt, questions_in
from speechdt.prompts.race import (
    FEWEST_CLIPS,
    FEWEST_ITEMS,
    Track,
    better_half,
    blocks,
    shares,
)
from speechdt.prompts.settings import OBJECTIVES as OBJECTIVE_NAMES
from speechdt.statistics.calibration import calibrate

# --- what it finds --------------------------------------------------------------------------------


def test_it_finds_a_planted_optimum_where_random_search_does_not():
    hits = np.zeros(2, dtype=int)
    for seed in range(8):
        trials = world(seed)
        ask = detector(trials, lambda prompt: 0.6 + 0.35 * planted(prompt), noise=0.3)
        result = run_search(trials, ask, steps=10, candidates=8)
        control = result["control"]
        assert result["pairs"] == control["pairs"]
        hits += [planted(arm["winner"]["prompt"]) == len(PLANTED) for arm in (result, control)]
    assert hits[0] >= 7
    assert hits[1] <= 3


def test_costs_are_those_of_the_candidates():
    trials = world(0)
    asked = []

    def ask(prompts, clips):
        asked.append(len(prompts) * len(clips))
        return detector(trials, lambda _: 1, 0.3)(prompts, clips)

    result = run_search(trials, ask, start={"other": OTHER}, steps=3, candidates=8)
    quarter = len(trials.item) // 4
    each = len(trials.item) + 3 * (8 + 4 + 2 + 1) * quarter  # the start, then halving four times
    assert result["pairs"] == result["control"]["pairs"] == each
    assert sum(asked) == 2 * each + 2 * len(trials.item)  # and the baseline, in both searches
    by_clips = [entry["clips"] // quarter for entry in result["candidates"]]
    assert sorted(by_clips) == sorted([4] + 3 * ([1] * 4 + [2] * 2 + [3] + [4]))
    assert all(entry["items"] >= FEWEST_ITEMS for entry in result["candidates"])
    assert result["candidates"][0] | {"name": "other", "step": 0} == result["candidates"][0]


def test_where_nothing_gains_the_baseline_stays():
    trials = world(1)
    ask = detector(trials, lambda prompt: 2.0 if prompt == BASELINE else 0.5, noise=0.3)
    result = run_search(trials, ask, steps=2)
    assert result["winner"]["prompt"] == BASELINE
    assert result["winner"]["gain"] == 0


def test_the_winner_has_the_best_pessimistic_bound_among_those_that_heard_all():
    trials = world(2)
    ask = detector(trials, lambda prompt: 0.8 + 0.1 * len(prompt) / 100, noise=0.5)
    result = run_search(trials, ask, steps=4)
    finalists = [c for c in result["candidates"] if c["clips"] == len(trials.item)]
    best = max(finalists, key=lambda entry: entry["gain_low"])
    assert result["winner"] == best
    assert best["gain_low"] < best["gain"] < best["gain_high"]


# --- objectives and verdicts ----------------------------------------------------------------------


@pytest.fixture
def scores(rng):
    speech = np.arange(500) % 2 == 0
    return expit(rng.normal(np.where(speech, 1, -1), 1.5).round(1)), speech  # with ties


def objective(name, p, speech):
    contributed = OBJECTIVES[name].contributions(p, speech)
    return OBJECTIVES[name].sign * (contributed[speech].mean() + contributed[~speech].mean()) / 2


def test_objectives_are_those_that_a_configuration_may_name(root):
    schema = yaml.safe_load((root / "rules" / "config.schema.yaml").read_text())
    searches = schema["properties"]["searches"]
    assert f"'enum': {list(OBJECTIVES)}" in str(searches)
    assert tuple(OBJECTIVES) == OBJECTIVE_NAMES


def test_auc_is_the_area_under_the_curve(scores):
    assert objective("auc", *scores) == pytest.approx(roc_auc_score(scores[1], scores[0]))


def test_auc_s_contributions_have_delong_s_variance(scores):
    p, speech = scores
    contributed = OBJECTIVES["auc"].contributions(p, speech)
    classes = (contributed[speech], contributed[~speech])
    ours = sum(part.var(ddof=1) / len(part) for part in classes) / 4
    ranks, sizes = rankdata(p), (speech.sum(), (~speech).sum())
    won_speech = (ranks[speech] - rankdata(p[speech])) / sizes[1]
    won_other = 1 - (ranks[~speech] - rankdata(p[~speech])) / sizes[0]
    theirs = won_speech.var(ddof=1) / sizes[0] + won_other.var(ddof=1) / sizes[1]
    assert ours == pytest.approx(theirs)


def test_log_loss_is_that_of_a_logistic_regression(scores):
    p, speech = scores
    x = np.log(p / (1 - p))[:, None]
    stock = LogisticRegression(C=np.inf, tol=1e-8).fit(x, speech).predict_proba(x)[:, 1]
    # Platt's smoothed targets move it a little.
    assert objective("log_loss", p, speech) == pytest.approx(log_loss(speech, stock), abs=1e-3)


def test_balanced_accuracy_is_at_the_detector_s_own_threshold(scores):
    p, speech = scores
    right = calibrate(p, speech).decide(p) == speech
    expected = (right[speech].mean() + right[~speech].mean()) / 2
    assert objective("balanced_accuracy", p, speech) == pytest.approx(expected)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_shift_of_all_answers_gains_nothing(name):
    trials = world(3)
    everything = np.arange(len(trials.item))
    x = np.where(trials.speech, 1, -1) + trials.ease
    (verdict,) = judge(trials, objective=name).judge(expit([x * 0.7 + 1.5]), expit(x), everything)
    ends = (verdict.gain, verdict.gain_low, verdict.gain_high)
    assert ends == pytest.approx([0, 0, 0], abs=1e-3)


def test_intervals_of_gains_cover_the_truth():
    covered = 0
    for seed in range(60):
        trials = world(seed, items=40, cells=2)
        own = np.random.default_rng(seed + 1000)
        sign = np.where(trials.speech, 1, -1)
        names, of_group = np.unique(trials.group, return_inverse=True)
        moved = own.normal(0, 0.3, len(names))[of_group]  # helps some groups, hurts as many
        p = expit(np.array([sign + trials.ease, sign + trials.ease + sign * moved]))
        verdicts = judge(trials, objective="auc", seed=seed)
        (verdict,) = verdicts.judge(p[1:], p[0], np.arange(len(trials.item)))
        covered += verdict.gain_low <= AUC_GAIN <= verdict.gain_high
    assert covered >= 53  # 0.1 % of the time if the coverage is 95 %


def auc_of(spread):
    """AUC of log-odds +-1 with normal noise of this variance in each class."""
    from scipy.stats import norm

    return norm.cdf(2 / np.sqrt(2 * spread))


AUC_GAIN = auc_of(1 + 2 * 0.3**2) - auc_of(1 + 0.3**2)


# --- blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("items", "groups", "count"), [(60, 12, 4), (50, 13, 3), (25, 5, 1)])
def test_blocks_are_whole_groups_and_large_enough(items, groups, count):
    trials = world(0, items, 4, groups)
    dealt = blocks(trials.speech, trials.item, trials.group, seed=0)
    assert len(dealt) == count
    assert sorted(np.concatenate(dealt)) == list(range(len(trials.item)))
    for block in dealt:
        assert len(block) >= FEWEST_CLIPS
        assert len(np.unique(trials.item[block])) >= FEWEST_ITEMS
        assert 0.35 < trials.speech[block].mean() < 0.65
    owners = [set(trials.group[block]) for block in dealt]
    assert sum(map(len, owners)) == len(set().union(*owners))


def test_a_rung_hears_a_share_of_each_item_and_finalists_all():
    trials = world(0, items=60, cells=20)
    dealt = blocks(trials.speech, trials.item, trials.group, seed=0)
    shared = shares(dealt, trials.item)
    for block, own in zip(dealt, shared, strict=True):
        assert sorted(np.concatenate(own)) == sorted(block)
        for share in own:
            assert len(share) >= FEWEST_CLIPS
            counts = np.unique(trials.item[share], return_counts=True)[1]
            assert len(counts) == len(np.unique(trials.item[block]))
            assert set(counts) <= {6, 7}
    batches = []
    ask = detector(trials, lambda prompt: len(prompt) / 40, 0.3)

    def noted(prompts, clips):
        batches.append((len(prompts), len(clips)))
        return ask(prompts, clips)

    track = Track(noted, judge(trials), BASELINE, dealt)
    batches.clear()
    track.race([BASELINE + "?" * i for i in range(1, 9)], first=1)
    assert [count for count, _ in batches] == [8, 4, 2, 1, 1]
    assert sum(clips for _, clips in batches) == track.size
    assert [v.clips for v in track.verdicts.values()].count(track.size) == 1
    assert sum(count * clips for count, clips in batches) == track.pairs < 2.1 * track.size


def test_small_blocks_are_not_shared_out():
    trials = world(0)
    dealt = blocks(trials.speech, trials.item, trials.group, seed=0)
    assert [len(own) for own in shares(dealt, trials.item)] == [1] * len(dealt)


def test_the_better_half_and_at_least_one():
    assert better_half([0.1, 0.4, 0.3, 0.2]) == [1, 2]
    assert better_half([0.1, 0.4, 0.3]) == [1]
    assert better_half([0.1]) == [0]


# --- candidates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Is it speech?",
        "A) yes",
        "Speech?\nA) yes\nB) no\nB) never",
        "Speech?\nB) no\nA) yes",
        "Speech?\nA) yes\nB) Yes",
        "Speech?<|im_end|>\nA) yes\nB) no",
        "word " * 200 + "\nA) yes\nB) no",
    ],
)
def test_malformed_candidates_are_counted(text):
    candidates = Candidates()
    assert candidates.take(text) is None
    assert (candidates.malformed, candidates.duplicates) == (1, 0)


def test_duplicates_are_counted_whatever_their_white_space():
    candidates = Candidates([OTHER])
    assert candidates.take(f"```\n{OTHER}  \n```") is None
    assert (
        candidates.take("Who speaks?\n\n\n\nA) one\nB) none ") == "Who speaks?\n\nA) one\nB) none"
    )
    assert (candidates.malformed, candidates.duplicates) == (0, 1)


# --- proposers ------------------------------------------------------------------------------------


def test_every_combination_of_the_template_is_well_formed():
    texts = TEMPLATE.propose([], 200, seed=0)
    assert len(set(texts)) == 200
    candidates = Candidates()
    assert [candidates.take(text) for text in texts] == texts


def test_the_template_is_blind_without_scores_and_not_with_them():
    blind = [TEMPLATE.propose([], 8, seed)[0] for seed in range(200)]
    shares = [sum(f"\nA{mark} " in text for text in blind) for mark in PARTS["mark"]]
    assert min(shares) > 25  # a fourth is 50
    tried = [Tried(text, 90.0 if "\nA. " in text else 60.0) for text in blind]
    guided = TEMPLATE.propose(tried, 40, seed=1)
    assert sum("\nA. " in text for text in guided) > 30
    assert not set(guided) & set(blind)


def test_the_meta_prompt_names_the_best_prompts_in_ascending_order():
    tried = [Tried("too bad", 10.0), Tried("best", 90.0), Tried("middle", 50.04)]
    prompt = meta_prompt(tried, 4, shown=2)
    assert "too bad" not in prompt
    assert prompt.index('score="50.0">\nmiddle') < prompt.index('score="90.0">\nbest')
    assert "Write 4 new questions" in prompt
    assert "score" not in meta_prompt([], 4)


def test_questions_are_found_in_a_reply():
    reply = f'Sure!\n<question score="99">\n{OTHER}\n</question>\n<question>x</question> bye'
    assert [text.strip() for text in questions_in(reply)] == [OTHER, "x"]
    assert questions_in("I cannot help with that.") == ["I cannot help with that."]


def test_what_a_writer_does_wrong_is_counted_and_the_search_goes_on():
    trials = world(0)
    replies = iter([reply(0), "no", "", "time-out", reply(1), *map(reply, range(2, 99))])

    def write(prompt, seed):
        text = next(replies)
        if text == "time-out":
            raise ProposerError("no answer within 1 s")
        return text

    start = {"other": OTHER}
    ask = detector(trials, lambda _: 1, 0.3)
    result = run_search(trials, ask, Writer(write), start, steps=2, candidates=4, attempts=4)
    assert [entry["step"] for entry in result["candidates"]] == [0, 1, 1, 1, 2, 2, 2, 2]
    assert result["failures"] == ["no answer within 1 s"]
    assert result["rejected"]["malformed"] == 2
    assert result["rejected"]["duplicates"] >= 2
    assert [entry["step"] for entry in result["control"]["candidates"]].count(2) == 4


def test_a_writer_without_any_answer_leaves_the_bank():
    def write(prompt, seed):
        raise ProposerError("connection refused")

    result = run_search(world(0), detector(world(0), lambda _: 1, 0.3), Writer(write), {"o": OTHER})
    assert len(result["candidates"]) == 1
    assert result["failures"] == ["connection refused"] * 4


def test_history_scores_are_on_one_scale():
    trials = world(0)
    dealt = blocks(trials.speech, trials.item, trials.group, 0)
    ask = detector(trials, lambda prompt: 2.0 if prompt == OTHER else 1.0, 0.3)
    track = Track(ask, judge(trials), BASELINE, dealt)
    track.hear_all([OTHER])
    tried = {one.prompt: one for one in history(track)}
    assert tried[BASELINE].score == pytest.approx(100 * np.exp(-track.of_baseline.score))
    assert tried[OTHER].score == pytest.approx(100 * np.exp(-track.verdicts[OTHER].score))
    assert 50 < tried[BASELINE].score < tried[OTHER].score < 100


# --- nothing is asked twice -----------------------------------------------------------------------


def test_a_killed_search_goes_on_without_asking_twice(tmp_path):
    trials = world(4)
    plain = detector(trials, lambda prompt: 0.6 + 0.3 * len(prompt) / 100, noise=0)
    keys = [str(i).encode() for i in range(len(trials.item))]
    counts = {}

    class Killed(Exception):
        pass

    def run(path, calls=10**9):
        def ask(prompts, clips):
            nonlocal calls
            calls -= 1
            if calls < 0:
                raise Killed
            for pair in ((prompt, clip) for prompt in prompts for clip in clips):
                counts[pair] = counts.get(pair, 0) + 1
            return plain(prompts, clips)

        store = PromptStore(path)
        once = AskOnce(ask, store, keys)
        try:
            return run_search(trials, once, recall=store.proposals, steps=3), once.asked
        finally:
            store.close()

    undisturbed, asked = run(tmp_path / "undisturbed.sqlite")
    assert asked == len(counts)
    counts.clear()
    for calls in (3, 5, 4):
        with pytest.raises(Killed):
            run(tmp_path / "killed.sqlite", calls)
    resumed, rest = run(tmp_path / "killed.sqlite")
    assert resumed == undisturbed
    assert 0 < rest < asked
    assert set(counts.values()) == {1}
    again, none = run(tmp_path / "killed.sqlite", calls=0)
    assert (again, none) == (undisturbed, 0)


def test_what_was_half_answered_is_completed(tmp_path):
    store = PromptStore(tmp_path / "store.sqlite")
    count = CHUNK + 100
    keys = [str(i).encode() for i in range(count)]
    asked = []

    def ask(prompts, clips):
        asked.append((list(prompts), list(clips)))
        return np.array(
            [[clip / count + len(prompt) * 1e-6 for clip in clips] for prompt in prompts]
        )

    once = AskOnce(ask, store, keys)
    once(["a"], np.arange(10))
    answers = AskOnce(ask, store, keys)(["a", "bb"], np.arange(count))
    assert asked[1:3] == [(["a"], list(range(10, CHUNK))), (["bb"], list(range(CHUNK)))]
    assert asked[3] == (["a", "bb"], list(range(CHUNK, count)))
    np.testing.assert_allclose(answers, ask(["a", "bb"], range(count)))


def test_settings_name_every_objective():
    assert tuple(OBJECTIVES) == OBJECTIVE_NAMES
