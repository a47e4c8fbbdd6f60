"""Paths of a configuration, and of the checkout itself."""

import os
import subprocess

import pytest

from speechdt.workflow.paths import check_interpreter, expanded
from speechdt.workflow.variants import ConfigError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    monkeypatch.delenv("NOWHERE", raising=False)
    return tmp_path


def test_tilde_and_variables_in_paths_are_replaced(home):
    config = {
        "corpus": [{"kind": "folder", "path": "~/x"}, {"kind": "fma", "path": "${DATA}/fma"}],
        "exclude": ["$DATA/marks.csv", "marks.csv"],
        "models": {"qwen2_audio": {"model": "~/qwen"}, "qwen3_omni": "nano"},
        "verdict": {"criteria": "~/mine.yaml"},
        "pathvars": {"results": "$DATA/results"},
        "prompts": {"money": "~ Does it cost $5 or $DATA?"},
        "variants": {"A1": {"backend": "qwen2_audio", "prompt": "$DATA", "model": "$DATA/m"}},
    }
    replaced = expanded(config)
    assert [corpus["path"] for corpus in replaced["corpus"]] == [f"{home}/x", f"{home}/data/fma"]
    assert replaced["exclude"] == [f"{home}/data/marks.csv", "marks.csv"]
    assert replaced["models"] == {"qwen2_audio": {"model": f"{home}/qwen"}, "qwen3_omni": "nano"}
    assert replaced["verdict"]["criteria"] == f"{home}/mine.yaml"
    assert replaced["pathvars"]["results"] == f"{home}/data/results"
    assert replaced["prompts"] == config["prompts"]
    assert replaced["variants"]["A1"]["prompt"] == "$DATA"
    assert replaced["variants"]["A1"]["model"] == f"{home}/data/m"


def test_a_variable_that_is_not_set_is_one_line(home):
    with pytest.raises(
        ConfigError, match=r"^corpus.1.path: \$NOWHERE in '\$NOWHERE/x' is not set$"
    ):
        expanded({"corpus": [{"path": "a"}, {"path": "$NOWHERE/x"}]})


def test_make_refuses_a_folder_with_a_space_in_one_line(root, tmp_path):
    folder = tmp_path / "with a space"
    folder.mkdir()
    (folder / "Makefile").write_text((root / "Makefile").read_text())
    # As from a terminal: a make around these tests would hand its own settings on.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    env.pop("MFLAGS", None)
    done = subprocess.run(["make", "setup"], cwd=folder, env=env, text=True, capture_output=True)
    assert done.returncode
    assert len(done.stderr.splitlines()) == 1
    assert f"a folder with a space in its name: {folder}" in done.stderr
    assert not os.path.exists(folder / ".venv")


@pytest.mark.parametrize("path", ["/a b/bin/python", "/a;b/python", "/x'/python", "/$HOME/python"])
def test_a_python_that_snakemake_would_not_find_is_refused(path):
    with pytest.raises(ConfigError) as refused:
        check_interpreter(path)
    assert path in str(refused.value)
    check_interpreter("/opt/a-b_c/venv3.11/bin/python3.11")
