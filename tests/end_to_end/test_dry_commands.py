"""Dry runs: what is planned for detectors alone, where results go, what is missing."""

import re

import pytest
from support.checkouts import ASKED, copy_checkout, run

FIRST = ("rules/common.smk", "rules/jobs.smk", "rules/bases.smk")
"""What all other files of rules use."""
KINDS = ("voxconverse", "esc50", "gtzan", "fma", "musiccaps", "musan")
"""Corpora that configs/paper.yaml asks for, but for the synthetic one."""
LEARNED = ("Training", "Fine-tuning", "Searching", "Asking", "Rendering the trials of train")


@pytest.fixture(scope="module")
def printed(root, tmp_path_factory):
    """What a dry run of D1 and D2 alone prints, and the folder it ran in."""
    folder = copy_checkout(root, tmp_path_factory.mktemp("dry"))
    variants = "{" + ",".join(f'"{name}":null' for name in ASKED) + "}"
    config = ("--config", 'pathvars={"results":"elsewhere"}', f"variants={variants}")
    # Before the configuration file, which takes every word that follows.
    return folder, run(folder, "-n", *config)


def test_detectors_alone_train_nothing_and_search_for_nothing(printed):
    _, output = printed
    jobs = re.findall(r"^Job \d+: (.*)$", output, re.MULTILINE)
    assert "Scoring dev and test with D2 (silero)" in jobs
    assert not [job for job in jobs if job.startswith(LEARNED)]
    assert "searches left out, since no variant uses them: base (on A1), large (on B3)" in output


def test_results_go_where_one_says_and_nowhere_else(printed):
    folder, output = printed
    assert "elsewhere/" in output
    assert " results/" not in output
    assert not (folder / "results").exists()
    assert not (folder / "elsewhere").exists()


def test_the_order_of_the_files_of_rules_does_not_matter(root, tmp_path):
    folder = copy_checkout(root, tmp_path)
    snakefile = folder / "Snakefile"
    text = snakefile.read_text()
    there = re.findall(r'^include: "(.+)"$', text, re.MULTILINE)
    assert tuple(there[: len(FIRST)]) == FIRST
    assert {f"rules/{file.name}" for file in (folder / "rules").glob("*.smk")} == set(there)
    turned = iter([*FIRST, *reversed(there[len(FIRST) :])])
    text = re.sub(r'^include: ".+"$', lambda _: f'include: "{next(turned)}"', text, flags=re.M)
    snakefile.write_text(text)
    assert {"all", "score", "write_report"} <= set(run(folder, "--list-rules").split())


def test_a_configuration_that_is_not_utf_8_is_one_line(printed):
    folder, _ = printed
    (folder / "latin.yaml").write_bytes("# Café\nseed: 3\n".encode("latin-1"))
    output = run(folder, "-n", config="latin.yaml", check=False)
    assert output.splitlines()[-1] == "error: latin.yaml is not UTF-8 (at byte 5): save it as UTF-8"
    assert "Traceback" not in output


def test_the_full_scale_run_names_each_corpus_that_is_not_there(root, tmp_path):
    copy_checkout(root, tmp_path)
    printed = run(tmp_path, "-n", config="configs/paper.yaml", check=False)
    errors = [line for line in printed.splitlines() if line.startswith("error")]
    named = [
        re.match(r"error: corpus.\d \((\w+)\): corpus folder data/\S+ does", e) for e in errors
    ]
    assert [match[1] for match in named] == list(KINDS)
    assert "Traceback" not in printed
