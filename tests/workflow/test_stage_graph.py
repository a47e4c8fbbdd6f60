"""The picture of the workflow by stages, of a small workflow that Snakemake itself describes."""

import subprocess
import sys

import pytest

from speechdt.errors import SpeechdtError
from speechdt.workflow.stage_graph import Stage, draw, handed_on, read_graph, read_stages

COMMON = "CELLS = ['a', 'b']\n"
TRIALS = """# items -> cells
rule render:
    output: expand("out/trials/{cell}.txt", cell=CELLS)
    shell: "touch {output}"

use rule render as render_train with:
    output: "out/train/a.txt"
"""
SCORES = """# cells -> scores
rule score:
    input: lambda wildcards: expand("out/trials/{cell}.txt", cell=CELLS)
    output: "out/scores/{run}.txt", "out/calibration/{run}.json"
    shell: "touch {output}"

rule collect:
    input: expand("out/scores/{run}.txt", run=["A1", "A2"])
    output: "out/table.csv"
    shell: "touch {output}"
"""
SNAKEFILE = """include: "rules/common.smk"
include: "rules/trials.smk"
include: "rules/scores.smk"

rule all:
    default_target: True
    input: "out/table.csv"
"""


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """A workflow of two stages, and its graph of files as Snakemake prints it."""
    folder = tmp_path_factory.mktemp("workflow")
    (folder / "rules").mkdir()
    for name, text in {"common": COMMON, "trials": TRIALS, "scores": SCORES}.items():
        (folder / "rules" / f"{name}.smk").write_text(text)
    (folder / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--filegraph"]
    done = subprocess.run(command, cwd=folder, check=True, text=True, capture_output=True)
    return folder / "Snakefile", done.stdout


def test_stages_are_the_files_that_hold_rules(workflow):
    snakefile, _ = workflow
    assert read_stages(snakefile) == [
        Stage("trials", "items -> cells", ("render", "render_train")),
        Stage("scores", "cells -> scores", ("score", "collect")),
    ]


def test_what_goes_from_stage_to_stage(workflow):
    snakefile, dot = workflow
    stages, graph = read_stages(snakefile), read_graph(dot)
    assert set(graph.outputs) == {"all", "render", "score", "collect"}
    assert ("render", "score") in graph.edges
    assert handed_on(stages, graph) == {("trials", "scores"): ["trials"]}
    apart = [stages[0], *(Stage(rule, "", (rule,)) for rule in stages[1].rules)]
    assert handed_on(apart, graph)["score", "collect"] == ["calibration", "scores"]


def test_the_picture_names_every_rule_and_is_the_same_each_time(workflow, tmp_path):
    snakefile, dot = workflow
    stages, graph = read_stages(snakefile), read_graph(dot)
    for name in ("one.svg", "two.svg", "one.png"):
        draw(stages, graph.outputs, handed_on(stages, graph), tmp_path / name)
    text = (tmp_path / "one.svg").read_text()
    for name in ("trials", "scores", "render · ", "score · collect", "items -&gt; cells"):
        assert name.removesuffix(" · ") in text, name
    assert "render_train" in text  # that does not run
    assert text == (tmp_path / "two.svg").read_text()
    assert (tmp_path / "one.png").stat().st_size > 5000


def test_the_command_says_what_it_lacks(workflow, tmp_path):
    snakefile, dot = workflow
    command = [sys.executable, "-m", "speechdt.workflow.stage_graph", snakefile, tmp_path / "x.svg"]
    subprocess.run(command, input=dot, text=True, check=True)
    assert (tmp_path / "x.svg").exists()
    failed = subprocess.run(command, input="Error", text=True, capture_output=True)
    assert failed.returncode == 1
    assert failed.stderr.strip() == (
        "error: no graph of files on standard input: snakemake --filegraph | …"
    )
    (tmp_path / "Snakefile").write_text("rule all:\n    input: []\n")
    with pytest.raises(SpeechdtError, match="Snakefile: includes no rules"):
        read_stages(tmp_path / "Snakefile")
