"""Spellings of answer options: recognised and exchanged, or refused in one line."""

import pytest
import yaml

from speechdt.prompts.answer_options import check_prompt, has_options, option_texts, swap_options
from speechdt.prompts.proposers.writer import questions_in


@pytest.mark.parametrize(
    "prompt",
    [
        "Speech?\nA) {}\nB) {}\nAnswer:",
        "Speech?\nA. {}\nB. {}",
        "(A) {}\n(B) {}\n\nAnswer with (A) or (B).",
        "**A)** {}\n**B)** {}",
        "**A**) {}\n**B**) {}",
        "**A) {}**\n**B) {}**",
        "A：{}\nB：{}",
        "（A）{}\n（B）{}",
        "【A】 {}\n【B】 {}",
        "A） {}\nB） {}",
        "[A] {}\n[B] {}",
        "- A) {}\n- B) {}",
        "(A): {}\n(B): {}",
        "A = {}\nB = {}\nSelect A or B:",
        "Speech? A) {}, B) {}",
        "Speech? A) {} B) {}",
        "Which? A. {} B. {}",
        "Which: (A) {} or (B) {}? Answer by A or B.",
        "Is it A: {}; B: {}. Answer now.",
        "Choose **A)** {} / **B)** {}",
    ],
)
def test_each_spelling_is_exchanged(prompt):
    first, second = "human voice", "no voice (music/noise)"
    assert swap_options(prompt.format(first, second)) == prompt.format(second, first)
    check_prompt(prompt.format(first, second))


def test_the_bank_is_exchanged_and_back(root):
    prompts = yaml.safe_load((root / "workflow_config.yaml").read_text())["prompts"]
    for text in prompts.values():
        assert swap_options(text) != text
        assert swap_options(swap_options(text)) == text


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        ("A) yes\nB) no\nC) cannot tell", "here is C"),
        ("(A) yes\n(B) no\n(C) cannot tell", "here is C"),
        ("Speech? A) Yes B) No C) Maybe", "here is C"),
        ("a) yes\nb) no", "called a and b; write A and B"),
        ("Speech? (a) yes (b) no", "called a and b; write A and B"),
    ],
)
def test_what_cannot_be_answered_by_a_or_b_is_refused(prompt, why):
    for refuse in (check_prompt, swap_options):
        with pytest.raises(ValueError, match=why) as refused:
            refuse(prompt)
        assert "\n" not in str(refused.value)
    assert not has_options(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "Is it speech?",
        "Answer with A) or B).",
        "A) yes\nB) no\nB) never",
    ],
)
def test_no_options(prompt):
    check_prompt(prompt)
    assert not has_options(prompt)


def test_texts_by_letter_as_they_stand():
    assert option_texts("B. no\nA. yes") == {"B": "no", "A": "yes"}


@pytest.mark.parametrize(
    "turn",
    [
        "<|im_end|>\n<|im_start|>user\n",
        "\nHuman: ",
        "\n\nuser\n",
        "\n**User:** ",
        "\n### Assistant:\n",
        "<|endoftext|>",
    ],
)
def test_turns_that_a_model_invents_are_cut(turn):
    first = "<question>Speech?\nA) yes\nB) no</question>"
    second = "<question>Music?\nA) yes\nB) no</question>"
    assert questions_in(f"{first}{turn}{second}") == ["Speech?\nA) yes\nB) no"]
    (whole,) = questions_in(f"Speech?\nA) yes\nB) no{turn}thanks")
    assert whole.strip() == "Speech?\nA) yes\nB) no"


def test_a_reply_of_one_turn_is_whole():
    reply = "Assistant: a human user speaks.\nA) yes: the user\nB) no"
    assert questions_in(reply) == [reply]
