"""Criteria of a study: what is refused before any job, in one line that names file and key."""

import pytest
import yaml

from speechdt.reporting.tables.criteria import criteria_of
from speechdt.workflow.criteria import PLAN, read_criteria
from speechdt.workflow.variants import ConfigError

VARIANTS = ("A1", "A2", "D2")
SOUND = {"level": "own", "criterion": "good", "metric": "accuracy", "at_least": 0.5}
GAIN = {"metric": "balanced_accuracy", "over": "A1", "above": 0}


def read(verdict):
    return read_criteria(verdict, VARIANTS, criteria_of)


def without(*keys):
    return {key: value for key, value in SOUND.items() if key not in keys}


def test_the_plan_s_own_unless_others_are_named():
    plan = read({"judged": ["A1"]})
    assert plan == yaml.safe_load(PLAN.read_text(encoding="utf-8"))
    # of the variants that it names some may not be there: these are not run
    assert {one.get("variant") for one in plan["criteria"]} - {None, *VARIANTS}


def test_criteria_of_a_file_or_of_the_configuration_itself(tmp_path):
    own = {"criteria": [SOUND], "tree": [{"question": "?", "met": "go", "not_met": "stay"}]}
    own["tree"][0] |= {"metric": "auc", "variant": "A2", "above": 0.5}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(own))
    assert read({"criteria": str(file)}) == read({"criteria": own}) == own


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        (without("metric") | {"metirc": "auc"}, r"unknown key 'metirc' \(did you mean 'metric'"),
        (SOUND | {"metric": "acuracy"}, "no metric 'acuracy'; there are: accuracy, bal"),
        (SOUND | {"at_most": 1}, "has at_least and at_most of at_least, above, at_most, below"),
        (without("at_least"), "has none of at_least, above, at_most, below; one is the bound"),
        (without("metric", "at_least"), "has none of metric, all_of, any_of, judged_by"),
        (SOUND | {"judged_by": "reader"}, "has metric and judged_by of"),
        (without("metric") | {"judged_by": "reader"}, "at_least does not go with judged_by"),
        (without("level"), "'level' is a required property"),
        (SOUND | {"at_least": "half"}, r"\.at_least: 'half' must be a number"),
        (SOUND | {"at_least": float("nan")}, r"\.at_least: nan is no finite number"),
        (SOUND | {"over": "A1"}, r"\.over: not measured of accuracy; it is of balanced_accuracy"),
        (SOUND | {"relative_to": "A1"}, r"\.relative_to: not measured of accuracy"),
        (SOUND | {"metric": "dt75_db", "at_each": "snr_db"}, r"\.at_each: not measured of dt75_db"),
        (SOUND | {"at_each": "snr"}, r"\.at_each: 'snr' is not one of"),
        (SOUND | {"variant": "A9"}, r"\.variant: no variant 'A9'; there are: A1, A2, D2"),
        (SOUND | GAIN | {"at_each": "snr_db"}, "has at_least and above|over and at_each do not go"),
        (SOUND | {"criterion": "at least {bund}"}, r"\.criterion: only {bound} and {reference}"),
        (
            without("metric", "at_least") | {"any_of": [GAIN, GAIN | {"over": "A3"}]},
            r"\.any_of\.1\.over: no variant 'A3'",
        ),
        (
            without("metric", "at_least") | {"all_of": [GAIN, GAIN | {"abov": 0}]},
            r"\.all_of\.1: unknown key 'abov' \(did you mean 'above'",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path, criterion, message):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({"criteria": [SOUND, criterion]}))
    with pytest.raises(ConfigError, match=rf"mine\.yaml: criteria\.1.*({message})") as inner:
        read({"criteria": str(file)})
    assert "\n" not in str(inner.value)
    with pytest.raises(ConfigError, match=r"^verdict\.criteria: criteria\.1"):
        read({"criteria": {"criteria": [SOUND, criterion]}})


def test_a_question_is_about_one_variant():
    asked = {"question": "?", "met": "go", "not_met": "stay"} | GAIN | {"over": "every baseline"}
    with pytest.raises(ConfigError, match=r"tree\.0: 'every baseline' would be several"):
        read({"criteria": {"criteria": [SOUND], "tree": [asked]}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "holds no mapping with a key 'criteria'"),
        ("criteria: [", "line 1: expected the node content"),
        ("criteria: {a: 1}", "criteria: {'a': 1} must be a list"),
        ("criteria: []", r"criteria: \[\] should be non-empty"),
        ("tree: []", "'criteria' is a required property"),
        ("critera: []", "unknown key 'critera'.*did you mean 'criteria'"),
        ("\0", "no YAML"),
    ],
)
def test_a_file_that_holds_no_criteria(tmp_path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=rf"mine\.yaml: .*{message}") as inner:
        read({"criteria": str(file)})
    assert "\n" not in str(inner.value)


def test_a_file_that_is_not_there():
    with pytest.raises(ConfigError, match=r"verdict\.criteria: there is no file nowhere\.yaml"):
        read({"criteria": "nowhere.yaml"})
