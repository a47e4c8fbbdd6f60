"""The key of a chat server is in nothing that a run leaves behind or says."""

import subprocess
import zipfile

import pytest
import yaml
from support.chat_servers import KEY, completion, serving
from support.checkouts import ASKED, command, run

PROPOSED = "Is there speech?\n\nA) SPEECH {}\nB) NONSPEECH\n\nAnswer with A or B."


@pytest.mark.campaign
def test_the_key_is_nowhere(checkout, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def answer(number):
        if number == 1:
            return 500, f'{{"error": "your key was {KEY}"}}', 0
        return 200, completion(f"<question>{PROPOSED.format(number)}</question>"), 0

    with serving(answer) as (server, url):
        config = yaml.safe_load((checkout / "configs" / "ci.yaml").read_text())
        proposer = {"kind": "openai", "base_url": url, "model": "tiny"}
        config["searches"]["base"] |= {"proposer": proposer}
        others = ASKED.keys() - {"A1", "A2"}  # the prompt of A2 is searched for on A1
        config["variants"] = dict.fromkeys(others)
        (checkout / "mine.yaml").write_text(yaml.safe_dump(config))
        printed = run(checkout, "all", "release", config="mine.yaml")
        report = command("--report", "page.zip", config="mine.yaml")
        done = subprocess.run(report, cwd=checkout, capture_output=True, text=True)
        assert server.asked
        assert server.asked[0][1] == f"Bearer {KEY}"
    assert done.returncode == 0, done.stderr
    zipfile.ZipFile(checkout / "page.zip").extractall(checkout / "page")
    assert KEY not in printed + done.stdout + done.stderr
    files = [path for path in checkout.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [str(file) for file in files if KEY.encode() in file.read_bytes()] == []
    assert {"results", ".snakemake", "page"} <= {
        file.relative_to(checkout).parts[0] for file in files
    }
    assert (checkout / "results" / "release").is_dir()
