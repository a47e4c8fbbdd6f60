"""Profiles: that of one machine gives way to one's own; that of Slurm names rules that exist."""

import re
import sys

import pytest
import yaml
import yte

KEPT = {"rerun-incomplete": True, "rerun-triggers": ["mtime", "params", "input", "software-env"]}
"""What the results rest on, whatever the profile."""


def default_profile(root, monkeypatch, *arguments):
    """Return profiles/default as Snakemake reads it when it is called with some arguments."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["snakemake", *arguments])
    text = (root / "profiles" / "default" / "config.yaml").read_text()
    return yte.process_yaml(text, require_use_yte=True)


def test_by_itself_the_default_profile_limits_jobs_to_one_gpu(root, monkeypatch):
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    profile = default_profile(root, monkeypatch, "--cores", "4")
    assert profile["resources"] == ["gpu=1"]
    assert KEPT.items() <= profile.items()


@pytest.mark.parametrize("arguments", [("--profile", "mine"), ("--profile=mine",), ()])
def test_a_profile_of_one_s_own_is_contradicted_in_nothing(root, monkeypatch, arguments):
    if arguments:
        monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    else:
        monkeypatch.setenv("SNAKEMAKE_PROFILE", "mine")
    assert default_profile(root, monkeypatch, *arguments) == KEPT


def test_the_profile_of_slurm_groups_rules_that_exist(root):
    profile = yaml.safe_load((root / "profiles" / "slurm" / "config.yaml").read_text())
    rules = set()
    for file in (root / "rules").glob("*.smk"):
        rules |= set(re.findall(r"(?m)^(?:rule|use rule \w+ as) (\w+)", file.read_text()))
    groups, needs = profile["groups"], profile["set-resources"]
    assert set(groups) <= rules
    assert set(needs) <= rules
    assert set(profile["group-components"]) <= set(groups.values())
    # Jobs of a group that is made of several run one after another.
    several = {rule for rule, group in groups.items() if group in profile["group-components"]}
    assert several == {rule for rule, of in needs.items() if "lane" in of}
    assert "exclusive" in needs["latency"]["slurm_extra"]
