"""Leaks, marks and hygiene in the workflow: it stops at a leak, and leaves out what it must."""

import shutil

import pandas as pd
import pytest
import soundfile
import yaml
from support.checkouts import ASKED, FEW, add_to_config, copy_checkout, few_recordings, planned, run
from support.codecs import mp3_at_32_kbit

TARGETS = ("results/trials/audit.csv", "results/tables/hygiene.csv", "results/trials/README.md")


@pytest.fixture(scope="module")
def leaky(root, tmp_path_factory):
    """A checkout whose corpora hold a few recordings twice, under other names and as MP3."""
    folder = copy_checkout(root, tmp_path_factory.mktemp("leaky"))
    table = pd.read_csv(root / "corpus" / "manifest.csv")
    copied = table[(table["category"] == "music") & (table["seconds"] > 2)]
    copied = copied.drop_duplicates("group_id").head(8)
    for number, path in enumerate(copied["path"]):
        samples, rate = soundfile.read(root / "corpus" / path, dtype="float32")
        target = folder / "own" / "nonspeech" / "music" / f"copy{number}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, mp3_at_32_kbit(samples), rate)
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    config["corpus"] = [{"kind": "folder", "path": path} for path in ("corpus", "own")]
    config["variants"] = ASKED
    (folder / "configs" / "ci.yaml").write_text(yaml.safe_dump(config))
    return folder, copied["source_id"].tolist()


@pytest.mark.campaign  # a whole run of its own
def test_groups_that_share_audio_are_joined_and_marks_or_hygiene_leave_out(leaky):
    folder, originals = leaky
    copies = [f"own/nonspeech/music/copy{number}.wav" for number in range(8)]
    ci = folder / "configs" / "ci.yaml"
    joining = ci.read_text()
    ci.write_text(joining + "near_duplicates: stop\n")
    printed = run(folder, *TARGETS, check=False)
    (error,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert "8 pairs of recordings in different groups are nearly the same audio" in error
    assert all(f"corpus/{original}" in error for original in originals)
    assert all(copy in error for copy in copies)
    assert not (folder / "results" / "corpus" / "sources.parquet").exists()

    ci.write_text(joining)
    assert "8 pairs of recordings share audio: 16 groups are joined into 8" in run(folder, *TARGETS)
    pairs = pd.read_csv(folder / "results" / "corpus" / "near_duplicates.csv")
    assert set(pairs["one"]) | set(pairs["other"]) == {*copies, *(f"corpus/{o}" for o in originals)}
    sources = pd.read_parquet(folder / "results" / "corpus" / "sources.parquet")
    sources = sources.set_index("source_id")
    split_of = sources["split"].to_dict()
    for original, copy in zip(originals, copies, strict=True):
        assert split_of[copy] == split_of[f"corpus/{original}"]

    pd.DataFrame({"source_id": copies}).to_csv(folder / "marks.csv", index=False)
    lenient = {"backend": "webrtc", "mode": 3, "nonspeech_above": 0.99, "speech_below": 0.3}
    hygiene = {"checks": {"lenient": lenient}, "flag_by": "lenient", "remove": True}
    add_to_config(folder, yaml.safe_dump({"hygiene": hygiene}))
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    (folder / "configs" / "ci.yaml").write_text(yaml.safe_dump(config | {"exclude": ["marks.csv"]}))
    assert "Reading the recordings" not in planned(folder, *TARGETS)
    run(folder, *TARGETS)

    corpus = folder / "results" / "corpus"
    left_out = pd.read_csv(corpus / "left_out.csv")
    reasons = left_out.set_index("source_id")["reason"]
    assert set(reasons[copies]) == {"marked in marks.csv"}
    counts = pd.read_csv(folder / "results" / "tables" / "hygiene.csv")
    counts = counts.set_index(["check", "category"])["flagged"]
    assert set(counts.index.get_level_values("check")) == {"fair", "lenient", "plan"}
    dirty = reasons[reasons == "flagged by hygiene check lenient"]
    used = pd.read_parquet(corpus / "sources.parquet")
    assert not set(used["source_id"]) & set(reasons.index)
    # The marked copies are music, and some of them flagged as well.
    assert counts["lenient"].sum() - len(copies) <= len(dirty) <= counts["lenient"].sum()
    items = pd.read_parquet(folder / "results" / "trials" / "test" / "items.parquet")
    assert not set(items["source_id"]) & set(reasons.index)
    assert items.groupby("category").size().to_dict() == {
        "speech": 16, "music": 4, "animals": 4, "noise": 4, "environment": 4,
    }  # fmt: skip


def test_one_recording_with_two_labels_stops_the_run_until_one_is_left_out(root, tmp_path):
    folder = copy_checkout(root, tmp_path)
    few_recordings(root, folder / "few")
    table = pd.read_csv(folder / "few" / "manifest.csv")
    music = table[(table["category"] == "music") & (table["seconds"] > 2)].iloc[0]
    target = folder / "own" / "speech" / "singer.flac"
    target.parent.mkdir(parents=True)
    shutil.copy(folder / "few" / music["path"], target)
    corpora = [{"kind": "folder", "path": path} for path in ("few", "own")]
    config = FEW | {"corpus": corpora}
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    printed = run(folder, "results/corpus/sources.parquet", config="mine.yaml", check=False)
    (error,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert "two labels" in error
    assert f"few/{music['source_id']} (NONSPEECH)" in error
    assert "own/speech/singer.flac (SPEECH)" in error
    (folder / "marks.csv").write_text("source_id\nown/speech/singer.flac\n")
    (folder / "mine.yaml").write_text(yaml.safe_dump(config | {"exclude": ["marks.csv"]}))
    run(folder, "results/corpus/sources.parquet", config="mine.yaml")
    used = pd.read_parquet(folder / "results" / "corpus" / "sources.parquet")
    assert f"few/{music['source_id']}" in set(used["source_id"])
    assert {"downmix", "offset", "rumble_db", "hum_db", "clipped", "faults"} <= set(used.columns)
