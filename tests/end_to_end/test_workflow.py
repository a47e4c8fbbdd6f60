"""The workflow itself, run small in a copy of the checkout."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from peft import PeftModel
from sklearn.metrics import roc_auc_score
from support import qwen_models as small
from support.checkouts import MATRIX, NANO, files_of, inputs_of, run
from support.paper_checks import check_numbers
from support.release_checks import check_release

from speechdt.audio.io import from_flac_bytes
from speechdt.audio.presentation import Presentation
from speechdt.detectors.scoring import read_scored
from speechdt.prompts.judge import Judge
from speechdt.reporting.figures.catalogue import FIGURES
from speechdt.reporting.tables.reading import read_table
from speechdt.statistics.calibration import logit
from speechdt.trials.cells import read_cell


def test_every_variant_has_a_row_of_finite_figures(finished):
    matrix = read_table(finished / "results" / "tables" / "matrix.csv")
    assert matrix["variant"].tolist() == list(MATRIX)
    assert matrix["model"].tolist() == ["nano"] * len(NANO) + [""] * (len(MATRIX) - len(NANO))
    assert matrix["n"].tolist() == [16 * 2 * 4] * len(MATRIX)
    figures = ["accuracy", "balanced_accuracy", "auc", "ece_platt", "f1_speech", "clean_accuracy"]
    assert np.isfinite(matrix[figures].to_numpy()).all()
    censored = matrix["dt75_censored"] != ""
    assert (matrix["dt75_db"].isna() == censored).all()
    latency = read_table(finished / "results" / "tables" / "latency.csv")
    assert (latency["latency_p50_ms"] > 0).all()


def test_every_pair_is_compared_and_the_planned_contrasts_come_first(finished):
    table = read_table(finished / "results" / "tables" / "comparisons.csv")
    pairs = list(table[["variant", "reference"]].itertuples(index=False, name=None))
    assert len(pairs) == len(MATRIX) * (len(MATRIX) - 1) / 2
    assert pairs[:3] == [("A2", "A1"), ("B3", "B2"), ("B4", "B3")]  # B1 is no row here
    assert pairs[3 : 2 + len(MATRIX)] == [(variant, "D2") for variant in MATRIX if variant != "D2"]
    for corrected in ("auc_p_holm", "p_holm"):
        assert (table[corrected].notna() == (table["family"] == "planned")).all()
    matrix = read_table(finished / "results" / "tables" / "matrix.csv").set_index("variant")
    expected = matrix.loc["D1", "balanced_accuracy"] - matrix.loc["D2", "balanced_accuracy"]
    assert table.loc[pairs.index(("D1", "D2")), "difference"] == pytest.approx(expected)


def test_ready_made_detectors_hear_the_conditions(finished):
    table = read_table(finished / "results" / "tables" / "conditions.csv")
    keys = ["neutral", "background_recording", "room_0.3", "channel_g711", "level_-40"]
    ready_made = [variant for variant in MATRIX if variant.startswith("D")]
    for variant in ready_made:
        assert table.loc[table["variant"] == variant, "condition"].tolist() == keys
    assert set(table["variant"]) == set(ready_made)  # no language model, unless it is named
    assert (table["n"] == 2 * 8 * 2).all()
    rooms = read_table(finished / "results" / "tables" / "rooms.csv")
    assert np.allclose(rooms["rt60_s"], 0.3, rtol=0.1)
    pages = [finished / "results" / name for name in ("report.html", "corpus/inspect.html")]
    assert "Rooms, channels and other conditions" in pages[0].read_text()
    assert "in every condition" in pages[1].read_text()


def test_every_file_that_is_promised_is_there(finished):
    results = finished / "results"
    assert "The check “plan” would remove" in (results / "report.html").read_text()
    assert (results / "errors.html").stat().st_size > 100_000
    assert not (results / "errors").exists()  # so small a page holds its clips
    assert (results / "corpus" / "rejected.csv").exists()
    for figure in ("psychometric_snr", "heatmap", "pareto", "reliability", "confusion"):
        for suffix in ("pdf", "svg", "png"):
            assert (results / "figures" / f"{figure}.{suffix}").stat().st_size > 1000


def test_a_second_run_of_a_copied_project_does_nothing(checkout):
    assert "Nothing to be done" in run(checkout)
    for script in (checkout / "rules" / "scripts").rglob("*.py"):
        script.touch()  # as a copy or another branch would
    assert not [file for file, (_, anew) in files_of(checkout).items() if anew]
    with (checkout / "speechdt" / "reporting" / "pages" / "templates" / "clip_player.js").open(
        "a"
    ) as file:
        file.write("// edited\n")
    pending = {rule for rule, anew in files_of(checkout).values() if anew}
    assert pending == {"write_gallery", "write_inspection", "write_report"}


@pytest.fixture(scope="module")
def published(finished, tmp_path_factory):
    """A copy of the finished run with the paper's folder, the release and Snakemake's report."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(finished, folder, symlinks=True, dirs_exist_ok=True)
    run(folder, "paper", "release")
    run(folder, "--report", "report.zip")
    return folder


def test_the_paper_quotes_what_stands_in_the_tables(published):
    assert check_numbers(published / "results") > 100
    main = (published / "results" / "paper" / "main.tex").read_text()
    assert "says nothing" in main or "say nothing" in main  # of nano models


def test_a_release_can_be_checked_and_traced_to_the_recordings(published):
    check_release(published / "results" / "release")


def test_snakemake_s_own_report_holds_both_pages_and_figures_with_captions(published):
    with zipfile.ZipFile(published / "report.zip") as packed:
        names = {Path(name).name for name in packed.namelist()}
        page = packed.read("report/report.html").decode()
    assert {"report.html", "errors.html", "psychometric_snr.svg"} <= names
    assert FIGURES["roc"].caption[:60] in page
    for category in ("Report", "Figures", "Audiogram", "Detectors", "Conditions"):
        assert f'"{category}"' in page


def test_silero_s_auc_is_that_of_the_stock_package_on_the_finished_trials(finished):
    from silero_vad import load_silero_vad

    model = load_silero_vad(onnx=True)
    chosen = json.loads((finished / "results" / "choices" / "D2.json").read_text())["chosen"]
    played = Presentation.of(chosen["level"], chosen["container"])
    speech, p = [], []
    for file in plan_cells(finished, "test"):
        for label, clip in read_cell(file)[["label", "audio"]].itertuples(index=False):
            samples = torch.from_numpy(played(from_flac_bytes(clip)))
            p.append(model.audio_forward(samples, 16_000).max().item())
            speech.append(label == "SPEECH")
    matrix = read_table(finished / "results" / "tables" / "matrix.csv").set_index("variant")
    assert matrix.loc["D2", "auc"] == pytest.approx(roc_auc_score(speech, p), abs=1e-3)


def plan_cells(finished, split):
    """Return the cells at the plan's SNRs, which all but curves are made of."""
    folder = finished / "results" / "trials" / split
    return sorted(file for snr in (-5, 10) for file in folder.glob(f"snr{snr}_*.parquet"))


def test_thresholds_are_learned_from_dev_alone(finished):
    # What the job read, by Snakemake's own record of it.
    records = map(json.loads, map(Path.read_text, (finished / ".snakemake" / "metadata").iterdir()))
    (read,) = {tuple(made["input"]) for made in records if is_calibration(made, "D2")}
    assert "results/scores/D2/dev/snr10_dur200.parquet" in read
    assert not [file for file in read if "/test/" in file]


def is_calibration(made, variant):
    return made["rule"] == "calibrate" and any(f"/{variant}/" in file for file in made["input"])


def test_no_choice_comes_from_a_file_of_test(finished):
    upstream, new = set(), {"results/tables/choices.csv"}
    while new:
        upstream |= new
        # The audit lets jobs begin, or not, and tells them nothing.
        inputs = {made_from for file in new for made_from in inputs_of(finished, file)}
        new = inputs - upstream - {"results/trials/audit.csv"}
    assert "results/choices/D2.json" in upstream
    assert "results/trials/dev/snr10_dur200.parquet" in upstream
    assert not [file for file in upstream if "/test/" in file or file.startswith("results/scores")]


def test_stock_peft_gives_the_log_odds_of_the_workflow(finished):
    adapter = finished / "results" / "adapters" / "small"
    base = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
    stock = small.ARCHITECTURES["qwen2_audio"][0].from_pretrained(finished / base)
    stock = PeftModel.from_pretrained(stock, adapter).eval()
    answers = json.loads((finished / "results/prompts/order_bias/B2.json").read_text())
    recipe = small.STOCK["qwen2_audio"](stock, finished / base, answers["answer_tokens"]["ids"])
    cell = "snr10_dur1000.parquet"
    trials = read_cell(finished / "results" / "trials" / "test" / cell)
    scores = pd.read_parquet(finished / "results" / "scores" / "B2" / "test" / cell)
    clips = [from_flac_bytes(audio) for audio in trials["audio"]]
    expected = recipe.log_odds(clips, small.BASELINE)
    np.testing.assert_allclose(logit(scores["p_speech"]), expected, atol=1e-4)


def test_a_search_sees_dev_alone_and_its_winner_is_scored_as_any_prompt(finished):
    results = finished / "results"
    behind = files_of(finished, "results/prompts/base.json")
    assert "results/trials/dev/snr10_dur200.parquet" in behind
    assert not [file for file in behind if "/test/" in file]
    searched = files_of(finished, "results/prompts/searched/base.parquet")
    assert "results/trials/test/snr10_dur200.parquet" in searched  # where it is judged
    search = json.loads((results / "prompts" / "base.json").read_text())
    winner = search["winner"]
    files = plan_cells(finished, "dev")
    scores = [results / "scores" / "A2" / "dev" / file.name for file in files]
    trials = read_scored(zip(files, scores, strict=True))
    assert winner["clips"] == search["costs"]["clips"] == len(trials)
    columns = (trials["label"] == "SPEECH", trials["item_id"], trials["group_id"])
    p = trials["p_speech"].to_numpy()
    (verdict,) = Judge(*columns).judge(p[None], p, np.arange(len(p)))
    assert verdict.score == pytest.approx(winner["score"], abs=1e-4)
    assert search["pairs"] == search["control"]["pairs"]
    assert len({entry["prompt"] for entry in search["candidates"]}) == 1 + 2 * 4


def test_searches_and_prompts_have_their_tables(finished):
    searches = read_table(finished / "results" / "tables" / "searches.csv")
    assert searches["search"].tolist() == ["base"] * 3 + ["large"] * 3
    assert searches["prompt"].tolist() == ["winner", "winner", "control"] * 2
    bank = read_table(finished / "results" / "tables" / "prompts.csv")
    config = yaml.safe_load((finished / "workflow_config.yaml").read_text())
    assert set(bank["prompt"]) == set(config["prompts"])
    assert bank["order_bias"].notna().all()
    page = (finished / "results" / "report.html").read_text()
    assert "minus that of a random search" in page


def test_calibrations_say_what_they_were_learned_from(finished):
    content = json.loads((finished / "results" / "calibration" / "D2.json").read_text())
    assert content["split"] == "dev"
    assert content["clips"] == 2 * 10 * 4
