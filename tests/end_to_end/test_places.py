"""The workflow from elsewhere: with a working directory of its own, as a module, deployed."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml
from support.checkouts import SMALL, copy_checkout, copy_corpus

RESULTS = "results; and more"
"""A folder that a shell would take apart."""
MINE = SMALL | {"pathvars": {"results": RESULTS}}
MATRIX = f"{RESULTS}/tables/matrix.csv"
MODULE = """
configfile: "config/config.yaml"

module speechdt:
    snakefile: {snakefile!r}
    config: config

use rule * from speechdt
"""


def snakemake(folder, *arguments, check=True, **more):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if check and done.returncode:
        pytest.fail(done.stdout)
    return done.stdout


def rows(folder):
    lines = (folder / MATRIX).read_text().splitlines()
    return [line.partition(",")[0] for line in lines[1:]]


@pytest.fixture(scope="module")
def elsewhere(root, tmp_path_factory):
    """A working directory away from the checkout in which the workflow has run."""
    folder = tmp_path_factory.mktemp("else where;")
    (folder / "mine.yaml").write_text(yaml.safe_dump(MINE))
    start = tmp_path_factory.mktemp("start")
    snakemake(
        start, "-s", root / "Snakefile", "--directory", folder, MATRIX,
        "--configfile", folder / "mine.yaml",
    )  # fmt: skip
    assert not list(start.iterdir())
    return folder


def test_a_working_directory_elsewhere(elsewhere):
    assert rows(elsewhere) == ["D1", "D2"]


def test_lost_records_are_made_up_for(root, elsewhere, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(elsewhere, folder)
    shutil.rmtree(folder / ".snakemake")
    asked = ("-n", "-s", root / "Snakefile", MATRIX, "--configfile")
    assert "Nothing to be done" in snakemake(folder, *asked, "mine.yaml")
    (folder / "more.yaml").write_text("bootstrap: {replicates: 101}\n")
    printed = snakemake(folder, *asked, "mine.yaml", "more.yaml")
    assert "Snakemake's records are lost; made anew: " in printed
    assert "Measuring D1 on test" in printed
    assert "Scoring dev and test" not in printed


def test_half_written_files_are_not_taken_for_whole(root, elsewhere, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(elsewhere, folder)
    shutil.rmtree(folder / ".snakemake")
    entry = folder / RESULTS / "manifest" / "calibrate" / "D2.json"
    entry.write_text(entry.read_text().replace('"complete": true', '"complete": false'))
    printed = snakemake(folder, "-n", "-s", root / "Snakefile", MATRIX, "--configfile", "mine.yaml")
    assert f"{RESULTS}/calibration/D2.json (its job was killed)" in printed
    assert "Learning threshold and calibration of D2" in printed
    assert "Learning threshold and calibration of D1" not in printed


@pytest.mark.campaign  # another whole run
def test_a_module_of_another_workflow(root, elsewhere, tmp_path):
    copy_corpus(elsewhere, tmp_path, RESULTS)  # as another run of the same workflow has read it
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text(yaml.safe_dump(MINE))
    (tmp_path / "Snakefile").write_text(MODULE.format(snakefile=str(root / "Snakefile")))
    snakemake(tmp_path, MATRIX)
    # Its scores are those of the same configuration elsewhere.
    assert (tmp_path / MATRIX).read_bytes() == (elsewhere / MATRIX).read_bytes()


HOSTED = """
configfile: "config/config.yaml"

module speechdt:
    snakefile: github("owner/speechdt", path="Snakefile", tag="v9")
    config: config

use rule * from speechdt
"""


@pytest.mark.campaign  # from a folder: the test before
def test_a_module_from_a_hosting_service(root, elsewhere, tmp_path):
    """Git is told that a folder is the service; Snakemake itself clones from there."""
    hosted, study = tmp_path / "hosted" / "owner" / "speechdt", tmp_path / "study"
    hosted.mkdir(parents=True)
    copy_checkout(root, hosted)
    (hosted / "corpus").unlink()  # the mini-corpus is that of the installed library
    git = ["git", "-C", hosted, "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "A"], ["tag", "v9"]):
        subprocess.run([*git, *arguments], check=True)
    copy_corpus(elsewhere, study, RESULTS)
    (study / "config").mkdir()
    (study / "config" / "config.yaml").write_text(yaml.safe_dump(MINE))
    (study / "Snakefile").write_text(HOSTED)
    printed = snakemake(
        study, MATRIX,
        PYTHONPATH=str(root),  # as an editable installation of a clone
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0=f"url.file://{tmp_path}/hosted/.insteadOf",
        GIT_CONFIG_VALUE_0="https://github.com/",
    )  # fmt: skip
    assert "Cloning github.com/owner/speechdt" in printed
    assert (study / MATRIX).read_bytes() == (elsewhere / MATRIX).read_bytes()


def test_a_deployed_workflow(root, tmp_path):
    deploy = pytest.importorskip("snakedeploy.deploy", reason="snakedeploy is not installed")
    clone, folder = tmp_path / "speechdt", tmp_path / "study"
    clone.mkdir()
    parts = ("Snakefile", "rules", "backends", "speechdt", "config", "envs", "profiles", "LICENSE")
    for part in (*parts, "workflow_config.yaml", "CITATION.cff"):
        source = root / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / part)
    (clone / "corpus").symlink_to(root / "corpus")
    folder.mkdir()
    deploy.deploy(str(clone), name=None, tag=None, branch=None, dest_path=folder)
    snakefile = folder / "workflow" / "Snakefile"
    # Of a clone on this machine snakedeploy writes the name of the file alone, which is its own.
    assert '"Snakefile"' in snakefile.read_text()
    snakefile.write_text(snakefile.read_text().replace('"Snakefile"', f'"{clone}/Snakefile"'))
    config = folder / "config" / "config.yaml"
    chosen = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump(chosen | MINE))
    snakemake(folder, MATRIX)
    assert rows(folder) == ["D1", "D2"]
