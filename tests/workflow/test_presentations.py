"""Presentations by the configuration: defaults, what dev chooses among, and mistakes."""

from typing import Literal

import pytest

from speechdt.workflow.presentations import of_search, of_variant

LADDER = ["stored", -20, -32]
PLAIN = {"level": "stored", "container": "none"}


class Vad:
    gpus = 0

    def __init__(self, pooling: Literal["max", "mean"] = "max"):
        self.pooling = pooling

    def score(self, clips): ...


class Asked(Vad):
    def score_prompts(self, clips, prompts): ...


def resolved(entry, cls=Vad, options=None, **more):
    return of_variant(entry, cls, options or {}, LADDER, 1000, **more)


def levels(choice):
    return [one["level"] for one in choice.alternatives]


def test_a_detector_hears_at_a_level_that_dev_chooses_and_a_language_model_as_stored():
    assert levels(resolved({})) == LADDER
    assert resolved({}, Asked) == (PLAIN, ())
    assert levels(resolved({"level": "auto"}, Asked)) == LADDER


def test_a_level_that_is_named_is_not_chosen():
    assert resolved({"level": -26}) == ({"level": -26.0, "container": "none"}, ())
    assert resolved({"level": "stored"}) == (PLAIN, ())


def test_what_is_trained_here_hears_as_in_training():
    noise = {"noise_ms": 2000}
    assert resolved({}, trained_in=noise).presentation == {"level": "stored", "container": noise}
    for wrong in ({"level": -20}, {"choose": {"level": "auto"}}, {"container": "mirrored"}):
        with pytest.raises(ValueError, match="what is trained here"):
            resolved(wrong, trained_in=noise)


def test_combinations_are_offered_with_the_default_first():
    choose = {"pooling": ["mean"], "lead_in": ["mirrored"], "level": [-20]}
    alternatives = resolved({"choose": choose}).alternatives
    assert len(alternatives) == 8
    assert alternatives[0] == PLAIN | {"options": {"pooling": "max"}}
    assert alternatives[-1] == {
        "level": -20,
        "container": "mirrored",
        "options": {"pooling": "mean"},
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"container": {"noise_ms": 500}}, "noise_ms 500 is shorter than 1000 ms"),
        ({"level": -20, "choose": {"level": "auto"}}, "level: name it in choose or beside it"),
        ({"container": "none", "choose": {"lead_in": ["mirrored"]}}, "container: name it in cho"),
        ({"pooling": "max", "choose": {"pooling": ["mean"]}}, "pooling: name it in choose"),
        ({"choose": {"pooling": ["median"]}}, "option 'pooling' cannot be 'median'"),
        ({"choose": {"polling": ["max"]}}, "no option 'polling'"),
    ],
)
def test_mistakes_are_named(entry, message):
    with pytest.raises(ValueError, match=message):
        resolved(entry)


def test_no_choice_beside_a_prompt_that_is_searched_for():
    options = {"prompt": {"search": "base"}}
    with pytest.raises(ValueError, match="its prompt is searched for"):
        resolved({"level": "auto"}, Asked, options)


def test_a_search_that_is_on_no_variant_chooses_no_level():
    assert of_search({"backend": "asked"}, Asked, 1000) == PLAIN
    for wrong in ({"level": "auto"}, {"choose": {"container": ["mirrored"]}}):
        with pytest.raises(ValueError, match="only a variant chooses its level"):
            of_search(wrong, Asked, 1000)
