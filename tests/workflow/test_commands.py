"""Commands: each rule and target has a line that says what it is, and goes where one says."""

import re
import shutil
import subprocess

import pytest

TARGETS = ("results", "vads", "paper", "release", "prompts", "sweep", "retime", "accept", "dag")


def test_each_rule_has_a_line_for_the_list_of_rules(root):
    files = [root / "Snakefile", *sorted((root / "rules").glob("*.smk"))]
    silent = [
        name
        for file in files
        for name, line in re.findall(
            r"^(?:use rule \w+ as |rule )(\w+)(?: with)?:\n(.*)$", file.read_text(), re.MULTILINE
        )
        if not re.fullmatch(r' {4}"""[A-Z].*\."""', line)
    ]
    assert silent == []


@pytest.mark.skipif(not shutil.which("make"), reason="no make here")
class TestMake:
    def make(self, root, *arguments):
        command = ["make", "--no-print-directory", "-o", ".venv/ready", *arguments]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    def test_the_list_has_a_line_for_each_target(self, root):
        lines = self.make(root).splitlines()
        for target in TARGETS:
            (line,) = [line for line in lines if line.startswith(f"  make {target} ")]
            assert len(line.split(maxsplit=2)) == 3

    @pytest.mark.parametrize("target", ["results", "paper", "release", "prompts", "retime"])
    def test_configuration_and_folder_are_passed_on_after_what_is_asked_for(self, root, target):
        chosen = ("CONFIG=configs/vads.yaml", "RESULTS=elsewhere")
        printed = self.make(root, "--dry-run", target, *chosen)
        asked = "" if target == "results" else target
        assert f"snakemake {asked} --cores all --resources gpu=1" in printed
        passed = """--configfile configs/vads.yaml --config 'pathvars={"results":"elsewhere"}'"""
        assert passed in printed
