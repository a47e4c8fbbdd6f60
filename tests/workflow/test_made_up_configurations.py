"""Configurations as nobody would write them: each is taken or refused in a line, none crashes."""

import copy

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from snakemake.utils import validate

from speechdt.errors import SpeechdtError
from speechdt.reporting.tables.criteria import criteria_of
from speechdt.reporting.tables.training import SETTINGS
from speechdt.workflow.checkout import Checkout
from speechdt.workflow.criteria import read_criteria
from speechdt.workflow.resolution import resolve
from speechdt.workflow.settings import checked, removal_notes

LONGEST = 2000
KEYS = [
    "backend",
    "prompt",
    "adapter",
    "ensemble",
    "level",
    "choose",
    "on",
    "kind",
    "path",
    "clips",
]
NAMES = [
    "A1",
    "D1",
    "D2",
    "B2",
    "small",
    "base",
    "webrtc",
    "silero",
    "qwen2_audio",
    "folder",
    "nano",
]
ODD = [
    "",
    " ",
    "a\nb",
    "x" * 70,
    "\x00",
    "é",
    "-1",
    "1e9",
    "*",
    "../..",
    "${HOME}",
    "~",
    "A1\n",
    "%s",
]
SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(-5, 5), st.integers(), st.floats()),
    *(st.sampled_from(NAMES), st.sampled_from(ODD), st.text(max_size=8)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from([*KEYS, *NAMES]) | st.text(max_size=4), inner, max_size=4),
    ),
    max_leaves=6,
)
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.sampled_from(["replace", "remove", "add", "double", "swap"]),
        st.sampled_from([*KEYS, *NAMES, *ODD]),
        VALUES,
    ),
    min_size=1,
    max_size=4,
)


def places(value, above=()):
    """Yield the paths of all values of a configuration."""
    if above:
        yield above
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for step, below in list(inner):
        yield from places(below, (*above, step))


def changed(config, changes):
    """Return a configuration with values replaced, removed, added, doubled or exchanged."""
    config = copy.deepcopy(config)
    for number, how, name, value in changes:
        paths = list(places(config))
        *above, step = paths[number % len(paths)]
        owner = config
        for part in above:
            owner = owner[part]
        if how == "remove":
            del owner[step]
        elif how == "add" and isinstance(owner, dict):
            owner[name] = value
        elif how == "double" and isinstance(owner, list):
            owner.append(copy.deepcopy(owner[step]))
        elif how == "swap" and isinstance(owner, dict):
            owner[step] = copy.deepcopy(config.get(list(config)[number % len(config)]))
        else:
            owner[step] = value
        if not config:
            break
    return config


def prepare(root, config):
    """Do with a configuration what the rules do before any job."""
    schema = root / "rules" / "config.schema.yaml"
    own = checked(config, {}, schema, lambda *given: validate(*map(unpathed, given)))
    own["corpus"] = Checkout(root).with_corpora(own["corpus"])
    experiment = resolve(own, "results", SETTINGS)
    read_criteria(own["verdict"], own["variants"], criteria_of)
    return [*removal_notes(config), *experiment.notes]


def unpathed(given):
    return given if isinstance(given, dict) else str(given)


def check(root, config):
    try:
        prepare(root, config)
    except SpeechdtError as error:
        message = str(error)
    else:
        return
    assert message
    for line in message.split("\nerror: "):
        assert "\n" not in line
        assert "Traceback" not in line
        assert len(line) < LONGEST


@pytest.fixture(scope="module")
def default(root):
    return yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))


SLOW = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@settings(max_examples=25, derandomize=True, **SLOW)
@given(changes=CHANGES)
def test_a_few(root, default, changes):
    check(root, changed(default, changes))


def test_each_section_may_be_left_out_or_is_missed_in_a_line(root, default):
    for name in default:
        check(root, {key: value for key, value in default.items() if key != name})


@pytest.mark.parametrize("where", [(), ("grid",), ("variants",), ("variants", "D1"), ("models",)])
def test_keys_of_several_lines_are_named_in_one(root, default, where):
    config = owner = copy.deepcopy(default)
    for step in where:
        owner = owner[step]
    owner["a\nb"] = "c\nd"
    check(root, config)
    owner["a\nb"] = "c" * 10_000
    check(root, config)


@pytest.mark.campaign
@settings(max_examples=1000, phases=[Phase.generate], **SLOW)  # to shrink a case takes minutes
@given(changes=CHANGES)
def test_a_thousand(root, default, changes):
    check(root, changed(default, changes))
