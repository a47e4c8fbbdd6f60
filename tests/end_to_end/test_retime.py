"""Times taken beside busy loops are marked; taken again on a quiet machine they are not.

The second half is true only where nothing else runs: a campaign, to be run alone.
"""

import re
import time

import pytest
import yaml
from support.busy import busy
from support.checkouts import FEW, copy_checkout, few_recordings, run

from speechdt.detectors.machine_load import load_before
from speechdt.reporting.tables.latency import BUSY
from speechdt.reporting.tables.latency_text import DOUBTED
from speechdt.reporting.tables.reading import read_table

pytestmark = pytest.mark.campaign
MINE = FEW | {"conditions": {"variants": []}}
LONGEST_S = 900
"""How long the busy loops last at most."""
WAIT_S = 60
"""How long the machine may take to become quiet."""


def marked(folder):
    """Return which variants each table marks, and how many times the report marks one."""
    tables = folder / "results" / "tables"
    doubtful = {
        name: re.findall(rf"^\| (\w+) .*{DOUBTED}", (tables / name).read_text(), re.MULTILINE)
        for name in ("latency.md", "matrix.md", "detectors.md")
    }
    for name in ("latency.csv", "pareto.csv"):
        table = read_table(tables / name)
        doubtful[name] = sorted(table.loc[~table["trusted"].astype(bool), "variant"])
    page = (folder / "results" / "report.html").read_text()
    return doubtful, len(re.findall(rf"\d {DOUBTED}</td>", page))


def wait_until_quiet(cores):
    end = time.monotonic() + WAIT_S
    while (others := load_before(2.0)) > BUSY * cores:
        if time.monotonic() > end:
            pytest.skip(f"others keep {others:.1f} of {cores:g} cores at work: run this test alone")


def test_busy_loops_mark_the_times_and_retime_takes_the_marks_away(root, tmp_path):
    folder = copy_checkout(root, tmp_path)
    few_recordings(root, folder / "few")
    (folder / "mine.yaml").write_text(yaml.safe_dump(MINE))
    with busy(LONGEST_S):
        tables = [f"results/tables/{name}.md" for name in ("latency", "matrix", "detectors")]
        run(folder, *tables, "results/report.html", config="mine.yaml")
    doubtful, times = marked(folder)
    assert all(sorted(variants) == ["D1", "D2"] for variants in doubtful.values()), doubtful
    assert times >= 2
    before = read_table(folder / "results" / "tables" / "latency.csv").set_index("variant")
    assert before["doubt"].str.match(r"others kept [\d.]+ of \d+ cores at work").all()

    wait_until_quiet(float(before["cores"].iloc[0]))
    printed = run(folder, "retime", config="mine.yaml")
    jobs = re.findall(r"^Job \d+: (.*)$", printed, re.MULTILINE)
    timings = sorted(job for job in jobs if job.startswith("Timing"))
    assert timings == ["Timing D1 (webrtc)", "Timing D2 (silero)"]  # all, together
    assert not [job for job in jobs if job.startswith(("Scoring", "Measuring", "Fitting"))]
    after = read_table(folder / "results" / "tables" / "latency.csv").set_index("variant")
    assert after["doubt"].fillna("").tolist() == ["", ""]
    assert marked(folder) == ({name: [] for name in doubtful}, 0)
    shown = ["latency_p50_ms", "cpu_p50_ms", "others_during"]
    print(before[shown].join(after[shown], lsuffix=" busy", rsuffix=" quiet").to_string())
