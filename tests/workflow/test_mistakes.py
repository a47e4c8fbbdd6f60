"""Mistakes in the configuration: refused in one line that names the key, before any job."""

import pytest
from support.experiments import overridden, resolved

from speechdt.errors import SpeechdtError


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("variants={D2: {backend: silero, poling: max}}", "D2: backend 'silero': no option 'polin"),
        ("variants={D2: {backend: silro}}", r"no backend 'silro' \(did you mean 'silero'\?\)"),
        (
            'searches={base: {"on": A1, proposer: tempalte}}',
            "searches.base: proposer 'tempalte' is none of: template, self, local, openai",
        ),
        ('searches={base: {"on": A7}}', r"searches.base: on: no variant 'A7'"),
        ("variants={A2: {backend: qwen2_audio, prompt: {search: bse}}}", "did you mean 'base'"),
        ("verdict={criteria: mine.yml}", r"verdict\.criteria: there is no file mine\.yml"),
        ("seeed=1", r"unknown key 'seeed' \(did you mean 'seed'\?\)"),
        ("grid={snr_db: []}", r"grid.snr_db: \[\] should be non-empty"),
        ("corpus=[{kind: folder, path: nowhere}]", "corpus folder nowhere does not exist"),
        ("variants={B1: {adapter: [small]}}", r"variants.B1: adapter \['small'\] is no name"),
        ("adapters={large: {spec_augment: {time: 3}}}", "adapters.large: spec_augment: unknown"),
        ("exclude=[nowhere.csv]", "exclude: there is no file nowhere.csv"),
        ("hygiene={flag_by: plam}", r"hygiene.flag_by: no check 'plam'"),
        ("hygiene={remov: true}", r"unknown key 'remov' \(did you mean 'remove'\?\)"),
    ],
)
def test_a_mistake_is_one_line(root, override, message):
    with pytest.raises(SpeechdtError, match=message) as refused:
        overridden(root, override)
    assert "\n" not in str(refused.value)


def test_the_small_configuration_without_a_mistake_is_resolved(root):
    assert {"A1", "D2"} <= set(resolved(root, {}).runs)
