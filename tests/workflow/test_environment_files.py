"""The pinned environments agree with each other and with what pyproject.toml asks for."""

import tomllib

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def locked(root):
    lines = (root / "requirements.lock").read_text().splitlines()
    pins = [line.split("==") for line in lines if "==" in line]
    return {canonicalize_name(name): version for name, version in pins}


def wanted(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in project["dependencies"]], [
        Requirement(line) for line in project["optional-dependencies"]["dev"]
    ]


def test_the_lock_holds_everything_at_versions_that_are_asked_for(root):
    pins = locked(root)
    for requirement in [*wanted(root)[0], *wanted(root)[1]]:
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_conda_environment_has_the_same_versions(root):
    environment = yaml.safe_load((root / "envs" / "speechdt.yaml").read_text())
    pins = locked(root)
    listed = dict(line.split("==") for line in environment["dependencies"][-1]["pip"])
    assert listed == {
        name: pins[name] for name in (canonicalize_name(r.name) for r in wanted(root)[0])
    }
