"""Names and sizes that a configuration may have."""

import pytest
import yaml

from speechdt.workflow.schema import check_schema
from speechdt.workflow.variants import ConfigError

NAMED = ("variants", "adapters", "searches", "prompts", "models")


@pytest.fixture(scope="module")
def config(root):
    return yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def schema(root):
    return root / "rules" / "config.schema.yaml"


@pytest.mark.parametrize("section", NAMED)
@pytest.mark.parametrize("name", ["x\n", "\n", "", "a\tb", "a\x00b", "a" * 65, "x\x7f"])
def test_names_with_control_characters_or_too_long_are_refused(config, schema, section, name):
    entry = next(value for value in config[section].values() if value)
    with pytest.raises(ConfigError) as refused:
        check_schema(config | {section: {name: entry}}, schema)
    assert "\n" not in str(refused.value)
    assert section in str(refused.value)


@pytest.mark.parametrize("name", ["A", "aaaa", "1-of-4", "A" * 64, "D1_x-y"])
def test_other_names_are_taken(config, schema, name):
    check_schema(config | {"variants": {name: {"backend": "webrtc"}}}, schema)


@pytest.mark.parametrize(
    "huge",
    [
        {"bootstrap": {"replicates": 10**9}},
        {"trials": {"items": {"dev": 10**12, "test": 10}}},
        {"latency": {"clips": 10**9}},
        {"jobs": {"threads": 10**6}},
        {"nano": {"reading_steps": 10**12}},
    ],
)
def test_sizes_that_nobody_can_mean_are_refused(config, schema, huge):
    ((section, values),) = huge.items()
    with pytest.raises(ConfigError, match=section):
        check_schema(config | {section: config[section] | values}, schema)
