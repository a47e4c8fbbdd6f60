"""Edits, and the jobs that each reruns: a level, a backend, a fit, seeds, a new detector."""

import json
import os
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from support.checkouts import MATRIX, TRIALS, add_to_config, files_of, planned, run, scored
from support.plugins import MINE, install

from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.calibration import logit

EDIT = "EDITED = True\n"
COSTLY = ("Scoring", "Fine-tuning", "Training", "Searching", "Asking", "Choosing on dev", "Timing")
"""Beginnings of what jobs say that take long with real models."""
ALL_CLIPS = 2 * (10 + 16) * (2 * 3 + 1 + 2) - 2 * 10 * 2 * 2
"""Of a detector anew: classes x items x (noisy, clean and catch cells), but for dev's clips at the
plan's SNRs, which the choice of its level has asked about already."""


def test_a_new_level_scores_its_own_clips_alone(checkout):
    # By itself: the job of its base would wait for all that is trained on the new level, too.
    add_to_config(checkout, "{grid: {snr_db: [-5, 10, 20]}, jobs: {together: false}}")
    shutil.rmtree(checkout / "results" / "logs" / "score_part")
    run(checkout, "results/scores/A1/test/snr20_dur200.parquet")
    assert scored(checkout, "A1") == 2 * 2 * (10 + 16)  # classes x durations x items


def test_an_edited_backend_reruns_its_variant_alone(checkout):
    with (checkout / "backends" / "webrtc.py").open("a") as file:
        file.write(EDIT)
    pending = {file: rule for file, (rule, anew) in files_of(checkout).items() if anew}
    # Its flags are joined to the scores in the summaries; nothing else hangs on them.
    assert {"flag_sources", "measure_unflagged", "collect_tables"} <= set(pending.values())
    of_one_variant = {"score", "calibrate", "latency", "measure_metrics", "fit_thresholds"}
    own = [file for file, rule in pending.items() if rule in of_one_variant]
    assert {pending[file] for file in own} == of_one_variant
    assert all(re.search(r"\bD1\b", file) for file in own)
    assert not TRIALS & set(pending.values())
    run(checkout, "results/scores/D1/test/snr10_dur200.parquet")
    assert scored(checkout, "D1") == ALL_CLIPS


def test_an_edited_helper_of_plugins_reruns_their_variants_alone(checkout):
    backends, file = checkout / "backends", "results/scores/X1/test/snr10_dur200.parquet"
    (backends / "_shared.py").write_text("from ._deeper import P\n")
    (backends / "_deeper.py").write_text("P = 0.25\n")
    (backends / "mine.py").write_text("from . import _shared\n" + MINE.replace("0.5", "_shared.P"))
    add_to_config(checkout, "variants: {X1: {backend: mine}}")
    run(checkout, file)
    (backends / "_deeper.py").write_text("P = 0.75\n")
    jobs = planned(checkout)
    assert [job for job in jobs if "Scoring dev" in job] == ["Scoring dev and test with X1 (mine)"]
    run(checkout, file)
    assert scored(checkout, "X1") == ALL_CLIPS  # none of them was kept
    assert set(pd.read_parquet(checkout / file)["p_speech"]) == {0.75}


def edit(file):
    with file.open("a") as module:
        module.write(EDIT)


def test_comments_docstrings_and_other_times_rerun_nothing_as_in_a_clone(checkout):
    """A clone has files of other times, its corpus too; and here each module has other comments."""
    corpus = (checkout / "corpus").resolve()
    (checkout / "corpus").unlink()
    shutil.copytree(corpus, checkout / "corpus", copy_function=shutil.copyfile)
    for folder in ("speechdt", "backends", "rules"):
        for file in (checkout / folder).rglob("*.*"):
            if file.suffix == ".py":
                file.write_text("# a comment\n" + file.read_text() + '\n"""And a text."""\n')
            elif file.is_file():
                os.utime(file)
    assert planned(checkout) == []


def test_more_replicates_rerun_no_search_training_or_scoring(checkout):
    add_to_config(checkout, "bootstrap: {replicates: 101}")
    printed = run(checkout, "-n")
    assert re.search(r"^fit_thresholds: \d+ jobs, replicates changed$", printed, re.MULTILINE)
    jobs = re.findall(r"^Job \d+: (.*)$", printed, re.MULTILINE)
    assert "Fitting the psychometric curves of B2" in jobs
    assert not [job for job in jobs if job.startswith(COSTLY)]


def test_another_loss_trains_again_what_learns_by_it(checkout):
    edit(checkout / "backends" / "qwen" / "finetuning" / "answer_model.py")
    printed = run(checkout, "-n")
    assert re.search(
        r"^finetune: \d+ jobs?, code changed in backends/qwen/finetuning/answer_model.py$",
        printed,
        re.MULTILINE,
    )
    jobs = re.findall(r"^Job \d+: (.*)$", printed, re.MULTILINE)
    assert "Fine-tuning small (qwen2_audio)" in jobs
    assert "Scoring dev and test with B2 (qwen2_audio)" in jobs
    assert not [job for job in jobs if "nano" in job or "logmel" in job]
    # A1 is on the base of B2, and its files are written from what is kept.
    others = re.compile(r"Scoring dev and test with (D1|D2|L1)\b")
    assert not [job for job in jobs if others.match(job)]


def test_a_run_that_fails_ends_with_the_cause(checkout):
    text = MINE.replace("return [0.5] * len(clips)", "raise OSError('the licence has ended')")
    (checkout / "backends" / "mine.py").write_text(text)
    add_to_config(checkout, "variants: {X1: {backend: mine}}")
    printed = run(checkout, "results/levels/X1.csv", check=False)
    last = printed.rstrip().splitlines()[-1]
    assert re.match(r"error: choose X1: .*the licence has ended", last), last


def test_a_detector_in_an_environment_of_its_own_is_scored(checkout):
    text = MINE.replace("return [0.5]", "import os; return [(os.getppid() > 1) / 4]")
    (checkout / "backends" / "mine.py").write_text(text)
    (checkout / "backends" / "broken.py").write_text("import no_such_package\n")
    own = {"backend": "mine", "level": "stored", "environment": {"python": sys.executable}}
    add_to_config(checkout, yaml.safe_dump({"variants": {"X1": own}}))
    file = "results/scores/X1/test/snr10_dur200.parquet"
    printed = run(checkout, file)
    assert printed.count("left out, as no variant uses it: plugin backends/broken.py fails") == 1
    assert set(pd.read_parquet(checkout / file)["p_speech"]) == {0.25}


def test_accepted_results_are_made_by_the_present_code_and_shown(checkout):
    edit(checkout / "speechdt" / "psychometrics" / "curve.py")
    edit(checkout / "backends" / "qwen" / "mel.py")
    printed = run(checkout, "accept")
    assert re.search(
        r"^accepted: \d+ jobs marked as made by the present code$", printed, re.MULTILINE
    )
    assert "accepted: fit_thresholds:" in printed
    assert "code changed in psychometrics/curve.py" in printed
    jobs = planned(checkout)
    assert set(jobs) <= {"Writing the report"}
    run(checkout, "results/report.html")
    page = (checkout / "results" / "report.html").read_text()
    assert re.search(r"make accept</code> marked .*psychometrics/curve\.py", page, re.DOTALL)
    refused = run(checkout, "release", check=False)
    assert "no release of results that were accepted" in refused.rstrip().splitlines()[-1]


def test_an_edited_fit_reruns_the_fits_and_what_follows(checkout):
    with (checkout / "speechdt" / "psychometrics" / "curve.py").open("a") as file:
        file.write(EDIT)
    jobs = planned(checkout)
    assert {job for job in jobs if "D1" in job} == {"Fitting the psychometric curves of D1"}
    assert "Collecting the tables" in jobs
    measured = {job for job in jobs if "Scoring" in job or "Timing" in job or "Measuring" in job}
    assert measured == {"Measuring what each condition costs"}


SEEDS = [20251019, 2]
"""Of an adapter, and the first is that of the finished run: it is not trained again."""
SEEDED = [f"B2.seed{seed}" for seed in SEEDS]
"""Runs of these."""


@pytest.fixture(scope="module")
def extended(root, finished, tmp_path_factory):
    """A copy of the finished run with new rows: a new file's, a package's, seeds, ensembles."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(finished, folder, symlinks=True, dirs_exist_ok=True)
    (folder / "backends" / "mine.py").write_text(MINE)
    install(root / "tests" / "support" / "entry_point_plugin", folder / "site")
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    config["adapters"]["small"] = {**config["adapters"]["small"], "seeds": SEEDS}
    config["variants"] |= {
        "X1": {"backend": "mine"},
        "X2": {"backend": "loudness"},
        "E1": {"ensemble": ["B2", "D2"]},
        "E2": {"ensemble": ["B2", "D2"], "how": "vote"},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    tables = [f"results/tables/{name}.csv" for name in ("matrix", "latency", "adapters")]
    where = {"config": "mine.yaml", "path": folder / "site"}
    jobs = planned(folder, *tables, **where)
    run(folder, *tables, **where)
    return folder, jobs


def test_the_other_rows_are_not_scored_again(extended):
    folder, jobs = extended
    scorings = [job for job in jobs if "Scoring" in job]
    assert len(scorings) >= 4
    on_base = {"A1", "A2", "B3", "B4"} & set(MATRIX)  # of B2's seeds: nothing is asked again
    written = "|".join(["X1", "X2", *map(re.escape, SEEDED), *on_base])
    assert all(re.search(rf"\b({written})\b", job) for job in scorings)
    assert {scored(folder, name) for name in on_base} == {0}


def test_several_seeds_are_one_row_and_ensembles_another(extended):
    folder, _ = extended
    tables = folder / "results" / "tables"
    matrix = read_table(tables / "matrix.csv").set_index("variant")
    assert matrix.index.tolist() == sorted([*MATRIX, "E1", "E2", "X1", "X2"])
    assert matrix.loc["E1", ["backend", "model"]].tolist() == ["ensemble", "nano"]
    seeds = read_table(tables / "adapters.csv").set_index("variant")["seeds"]
    assert seeds[["B2", "B3"]].tolist() == [2, 1]
    latency = read_table(tables / "latency.csv").set_index("variant")["latency_p50_ms"]
    assert latency["E1"] > latency["B2"] + 0.9 * latency["D2"]

    def p_speech(run, cell="snr10_dur1000.parquet"):
        return pd.read_parquet(folder / "results/scores" / run / "test" / cell)["p_speech"]

    members = [p_speech(run) for run in (*SEEDED, "D2")]
    assert (members[0] != members[1]).any()
    # Both seeds together count as much as the other member.
    expected = np.average(logit(members), axis=0, weights=[1, 1, 2])
    np.testing.assert_allclose(logit(p_speech("E1")), expected, atol=1e-5)
    assert set(p_speech("E2") * 4) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("variant", ["X1", "X2"])
def test_two_configuration_lines_and_a_file_or_a_package_give_a_full_row(extended, variant):
    tables = extended[0] / "results" / "tables"
    matrix = read_table(tables / "matrix.csv").set_index("variant")
    assert np.isfinite(matrix.loc[variant, ["accuracy", "auc", "brier"]].astype(float)).all()
    assert variant in read_table(tables / "pareto.csv")["variant"].tolist()


BACKWARDS = """
from speechdt import hookimpl
class Backwards:
    gpus = 0
    def __init__(self):
        from .silero import Silero
        self.forwards = Silero()
    def score(self, clips): return 1 - self.forwards.score(clips)
@hookimpl
def detectors(): return {"backwards": Backwards}
"""


def test_a_detector_whose_answers_are_exchanged_is_named_in_tables_and_terminal(checkout):
    (checkout / "backends" / "backwards.py").write_text(BACKWARDS)
    # At the level of D2, which it turns round.
    before = read_table(checkout / "results/tables/matrix.csv").set_index("variant")
    level = before.loc["D2", "level"]
    level = level if level == "stored" else float(level)
    others = dict.fromkeys(MATRIX)
    config = {"variants": others | {"X1": {"backend": "backwards", "level": level}}}
    add_to_config(checkout, yaml.safe_dump(config | {"comparisons": {"planned": []}}))
    tables = [f"results/tables/matrix.{kind}" for kind in ("csv", "md", "tex")]
    note = r"worse than chance on dev \(AUC: X1 0\.\d+ \[0\.\d+, 0\.[0-4]\d+\]\): are its answers"
    # The report, too: tests/reporting/test_skill.py.
    printed = run(checkout, *tables).splitlines()
    assert [line for line in printed[-3:] if re.match(f"warning: {note} exchanged\\?$", line)]
    matrix = read_table(checkout / tables[0]).set_index("variant")
    learned = json.loads((checkout / "results" / "calibration" / "X1.json").read_text())
    ends = ("auc", "auc_low", "auc_high")
    assert [matrix.loc["X1", f"dev_{end}"] for end in ends] == [learned[end] for end in ends]
    forwards = json.loads((checkout / "results" / "calibration" / "D2.json").read_text())
    assert learned["auc"] == pytest.approx(1 - forwards["auc"])
    assert learned["auc"] <= learned["auc_high"] < 0.5
    assert re.search(rf"^\| X1 † .*\n\nX1 † — {note}", (checkout / tables[1]).read_text(), re.M)
    assert r"X1 $\dagger$" in (checkout / tables[2]).read_text()
