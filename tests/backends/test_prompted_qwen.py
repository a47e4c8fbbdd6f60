"""Needs of a prompt search from a language model: clips are encoded once, and it can write."""

import importlib

import numpy as np
import pytest
import torch
from support import qwen_models as small
from support.searches import OTHER
from transformers import Qwen2Config, Qwen2ForCausalLM

from speechdt import find_detectors
from speechdt.prompts.answer_options import swap_options

pytestmark = pytest.mark.usefixtures("one_thread")

DETECTORS = find_detectors()
CLIPS = [small.clip(ms, seed) for seed, ms in enumerate((200, 210, 500, 1000, 205, 990))]
PROMPTS = [small.BASELINE, OTHER]
EXACT = 1e-5


@pytest.fixture(scope="module", params=list(small.ARCHITECTURES))
def folder(request, tmp_path_factory):
    return small.save(request.param, tmp_path_factory.mktemp(request.param) / "model")


@pytest.fixture
def detector(folder):
    return DETECTORS[folder.parent.name.rstrip("0123456789")](model=str(folder), device="cpu")


def odds(detector, clips, prompts):
    return detector.log_odds(clips, prompts, both=False)[0]


def test_clips_are_encoded_once_over_many_calls(detector):
    expected = odds(detector, CLIPS, PROMPTS)
    assert detector.tower_passes == len(CLIPS)
    detector.keep_audio(1.0)
    first = odds(detector, CLIPS[:4], PROMPTS[:1])  # two are new in the next call
    answers = [odds(detector, CLIPS, [prompt])[0] for prompt in PROMPTS]
    backwards = odds(detector, CLIPS[::-1], PROMPTS)[:, ::-1]
    alone = [odds(detector, [clip], PROMPTS)[:, 0] for clip in CLIPS]
    assert detector.tower_passes == 2 * len(CLIPS)
    np.testing.assert_allclose(first[0], expected[0, :4], atol=EXACT)
    np.testing.assert_allclose(answers, expected, atol=EXACT)
    np.testing.assert_allclose(backwards, expected, atol=EXACT)
    np.testing.assert_allclose(np.transpose(alone), expected, atol=EXACT)


ALIKE = [
    *(small.BASELINE, OTHER, small.BASELINE + " Now!", small.BASELINE.replace("A or B", "B or A")),
    swap_options(small.BASELINE),
    swap_options(OTHER),
]


@pytest.mark.parametrize("most", [1, 60, 10_000], ids=["apart", "some", "together"])
def test_questions_that_begin_alike_are_answered_as_each_alone(detector, monkeypatch, most):
    asked_together = importlib.import_module("speechdt_backends.qwen.asked_together")
    monkeypatch.setitem(asked_together.TOKENS_A_TREE, "cpu", most)
    alone = [odds(detector, CLIPS, [prompt])[0] for prompt in ALIKE]
    np.testing.assert_allclose(odds(detector, CLIPS, ALIKE), alone, atol=EXACT)


def test_a_tree_holds_each_beginning_once():
    trees = importlib.import_module("speechdt_backends.qwen.question_tree")
    question = importlib.import_module("speechdt_backends.qwen.question").Question
    texts = [(1, 2, 3), (1, 2, 4, 5), (6, 2), (1, 2, 3)]
    ((before, tree),) = trees.question_trees([question((9,), text) for text in texts], 100)
    assert before == (9,)
    assert len(tree.ids) == 7  # 1 2 3, 4 5, 6 2
    order = tree.behind(2, torch.device("cpu"))
    assert order.longest == 6
    for number, text in enumerate(texts):
        place = int(order.answers[tree.texts.index(number)])
        visible = order.sees[place].nonzero()[:, 0]
        assert [tree.ids[i - 2] for i in visible.tolist() if i >= 2] == list(text)
        assert order.depths[visible].tolist() == list(range(2 + len(text)))
    apart = list(trees.question_trees([question((9,), text) for text in texts], 1))
    assert sorted(n for _, tree in apart for n in tree.texts) == [0, 1, 2, 3]


def test_no_more_is_kept_than_there_is_room_for(detector):
    width = detector.lm.config.get_text_config().hidden_size
    expected = odds(detector, CLIPS, PROMPTS)
    engine = detector.engine
    shortest = [engine.tower.tokens(engine.mel.frames(len(CLIPS[i]))) for i in (0, 4, 1)]
    room = 4 * width * sum(shortest)  # float32
    detector.keep_audio(room / 2**30)
    before = detector.tower_passes
    for _ in range(3):
        np.testing.assert_allclose(odds(detector, CLIPS, PROMPTS), expected, atol=EXACT)
    assert detector.engine.kept.size == room
    assert detector.tower_passes - before == 3 + 3 * 3


def test_a_language_model_writes_and_scores_stay_as_they_were(detector):
    before = odds(detector, CLIPS[:2], PROMPTS)
    state = torch.random.get_rng_state()
    texts = [detector.generate("Write a question.", seed, most_tokens=8) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert (torch.random.get_rng_state() == state).all()
    np.testing.assert_array_equal(odds(detector, CLIPS[:2], PROMPTS), before)
    cold = [detector.generate("Write.", seed, temperature=0, most_tokens=4) for seed in (1, 2)]
    assert cold[0] == cold[1]


def test_a_reply_ends_with_the_turn_and_may_repeat_itself(detector):
    """Whatever generation settings a checkpoint has: Qwen3-Omni's name no end, Qwen2-Audio's punish
    repetition, which a list of questions is full of."""
    text, most = "Write a question.", 12
    heads = []

    def note(_head, hidden, _logits):
        heads.append(hidden[0][0, -1].clone())

    detector.lm.lm_head.register_forward_hook(note)
    detector.lm.generation_config.eos_token_id = None
    endless = detector.generate(text, 0, temperature=0, most_tokens=most)
    assert len(heads) == most
    detector.lm.generation_config.repetition_penalty = 5.0
    assert detector.generate(text, 0, temperature=0, most_tokens=most) == endless
    # Weights by which the end is the likeliest third token, and neither first nor second.
    first, second, third = heads[:3]
    basis, _ = torch.linalg.qr(torch.stack([first, second]).T)
    ends = detector._chat.tokenizer.convert_tokens_to_ids("<|im_end|>")
    with torch.no_grad():
        detector.lm.lm_head.weight[ends] = 1e4 * (third - basis @ (basis.T @ third))
    heads.clear()
    reply = detector.generate(text, 0, temperature=0, most_tokens=most)
    assert len(heads) == 3
    assert endless.startswith(reply)


def test_what_it_writes_is_what_the_stock_model_would(detector, folder):
    chat = detector._chat.render_text("Write a question.")
    ids = detector._chat.tokenizer(chat, return_tensors="pt")["input_ids"]
    expected = []
    for _ in range(4):  # greedy, one token after the other, by the stock forward
        with torch.inference_mode():
            logits = detector.lm(input_ids=ids).logits[0, -1]
        expected.append(int(logits.argmax()))
        ids = torch.cat([ids, torch.tensor([[expected[-1]]])], dim=1)
    text = detector._chat.tokenizer.decode(expected, skip_special_tokens=True)
    assert detector.generate("Write a question.", 0, temperature=0, most_tokens=4) == text


@pytest.fixture(scope="module")
def writer_folder(tmp_path_factory):
    """A random causal language model with a chat template."""
    folder = tmp_path_factory.mktemp("writer")
    tokenizer = small.tokenizer([])
    tokenizer.chat_template = "{{ messages[0]['content'] }}\nReply:"
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    config = Qwen2Config(vocab_size=len(tokenizer), **shape, **heads)
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def test_another_language_model_writes(writer_folder):
    writing = importlib.import_module("speechdt_backends.qwen.text_writer")
    write = writing.LocalWriter(str(writer_folder), most_tokens=8)
    assert write("Write.", 1) == write("Write.", 1) != write("Write.", 2)


def test_a_writer_that_cannot_be_loaded_or_asked(writer_folder, tmp_path):
    writing = importlib.import_module("speechdt_backends.qwen.text_writer")
    with pytest.raises(ValueError, match=r"proposer: model '.*nowhere' cannot be loaded"):
        writing.LocalWriter(str(tmp_path / "nowhere"))
    tokenizer = small.tokenizer([])
    tokenizer.save_pretrained(tmp_path)
    Qwen2ForCausalLM.from_pretrained(writer_folder).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="has no chat template"):
        writing.LocalWriter(str(tmp_path))
