"""Needs of jobs, as a cluster is asked for them."""

import re

import pytest

from speechdt.workflow import needs


@pytest.mark.parametrize(
    ("model", "at_least", "at_most"),
    [
        ("Qwen/Qwen2-Audio-7B-Instruct", 14_000, 20_000),  # 7 billion numbers of two bytes
        ("Qwen/Qwen3-Omni-30B-A3B-Instruct", 60_000, 80_000),  # all of them, not the 3B in use
        ("someone/Whisper-1.5B", 3_000, 4_000),
        ("someone/small", 0, 0),
        (None, 0, 0),
    ],
)
def test_a_checkpoint_takes_what_its_name_says(model, at_least, at_most):
    assert at_least <= needs.checkpoint_memory(model) <= at_most


def test_a_folder_takes_what_its_weights_weigh(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"x" * 10_000_000)
    assert needs.checkpoint_memory(tmp_path) == 12


def test_memory_grows_with_processes():
    four, eight = (needs.worker_memory(None, threads) for threads in (4, 8))
    assert eight - four == 4 * needs.PROCESS_MB
    of = needs.listening_memory(lambda wildcards: {"model": "a/b-7B"})
    assert of(None, 2) - of(None, 1) == needs.PROCESS_MB


def rules_of(root):
    """Return the text of every rule that runs something, and the names of the local ones."""
    rules, local = {}, set()
    for file in sorted((root / "rules").glob("*.smk")):
        for part in re.split(r"(?m)^(?=\S)", file.read_text()):
            if named := re.match(r"rule (\w+):", part):
                rules[named[1]] = part
            elif part.startswith("localrules:"):
                local |= set(re.findall(r"\w+", part.partition(":")[2]))
    return {name: text for name, text in rules.items() if "script:" in text}, local


def test_every_rule_says_what_it_needs_or_is_one_of_seconds(root):
    rules, local = rules_of(root)
    assert len(rules) > 40
    for name, text in rules.items():
        declared = {"mem_mb=", "runtime="} <= set(re.findall(r"mem_mb=|runtime=", text))
        assert declared != (name in local), name
        assert "workflow.cores" not in text, name


def test_scripts_use_what_their_rules_give(root):
    rules, _ = rules_of(root)
    for name, text in rules.items():
        given = text.partition("    params:\n")[2].partition("    message:")[0]
        if "**" in given:
            continue
        keys = set(re.findall(r"(?m)^        (\w+)=", given))
        script = root / "rules" / re.search(r'script:\s+"([^"]+)"', text)[1]
        used = set(re.findall(r"\bparams\.(\w+)", script.read_text()))
        assert used <= keys, f"{script.name}: {sorted(used - keys)} not in rule {name}"
