"""Conditions: the same items in all, each at the SNR it states, one factor at a time."""

import numpy as np
import pytest
from support.levels import power_db

from speechdt.audio import channel, room
from speechdt.audio.io import from_flac_bytes
from speechdt.audio.mixing import PEAK
from speechdt.trials import conditions as played
from speechdt.trials.cells import SCHEMA, read_cell

LADDER = (-15.0, 0.0, 12.5)
NEUTRAL = played.Condition("neutral", "", LADDER, 500, "white")
AXES = {
    "background": ["pink", "brown", "speech_shaped", "recording"],
    "room": [0.3, 1],
    "channel": list(channel.CHANNELS),
    "level": [-40],
}
CONDITIONS = played.around(NEUTRAL, AXES)
RENDERED = [condition for condition in CONDITIONS if condition.rendered]
SEED = 7


@pytest.fixture(scope="module")
def responses():
    rooms = room.by_name(["0.3", "1"], None, tolerance_s=0.2, count=2, seed=SEED)
    return {name: [one.samples for one in of] for name, of in rooms.items()}


@pytest.fixture(scope="module")
def items(sources):
    return played.condition_items(
        sources, CONDITIONS, 4, seed=SEED, least_active=0.7,
        categories=["music", "animals", "noise", "environment"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory, items, responses):
    folder = tmp_path_factory.mktemp("conditions")
    paths = {condition.key: folder / f"{condition.key}.parquet" for condition in RENDERED}
    played.write(items, RENDERED, paths, responses, seed=SEED, level="peak")
    return paths


def test_a_condition_differs_from_the_neutral_one_in_its_own_factor_alone():
    assert [condition.key for condition in CONDITIONS][:3] == [
        "neutral", "background_pink", "background_brown",
    ]  # fmt: skip
    for condition in CONDITIONS[1:]:
        own = {"axis", "name", condition.axis}
        for field in condition._fields:
            same = getattr(condition, field) == getattr(NEUTRAL, field)
            assert same or field in own


def test_all_conditions_play_the_same_items_at_the_same_snrs(files, items):
    trials = {key: read_cell(path) for key, path in files.items()}
    neutral = trials["neutral"]
    assert list(neutral.columns) == [name for name in SCHEMA.names if name != "audio"] + ["audio"]
    assert len(neutral) == len(items) * len(LADDER)
    columns = ["item_id", "label", "source_id", "group_id", "snr_db", "duration_ms"]
    for key, own in trials.items():
        assert own[columns].equals(neutral[columns]), key
        assert own["trial_id"].is_unique
    assert set(neutral["label"]) == {"SPEECH", "NONSPEECH"}


@pytest.mark.parametrize("condition", RENDERED, ids=lambda condition: condition.key)
def test_every_trial_has_the_snr_it_states(files, items, responses, condition):
    """Take target and background out of the finished clip, by least squares.

    Filters are linear, so each part goes through by itself. What codecs do is not: there the clip
    that they were given is looked at.
    """
    by_id = items.set_index("item_id", drop=False)
    linear = condition.channel in (channel.NONE, "band_300_3400", "lowpass_3400", "highpass_300")
    for row in read_cell(files[condition.key]).to_dict("records"):
        item = dict(by_id.loc[row["item_id"]])
        item |= played.scenery(item, condition.background)
        target, background = played.sounds(item, condition, responses, SEED)
        clip = from_flac_bytes(row["audio"])
        assert len(clip) == len(target) == 8000
        assert np.abs(clip).max() == pytest.approx(PEAK, abs=1e-3)
        through = condition.channel if linear else channel.NONE
        if not linear:
            clip = played.played(target, background, row["snr_db"], channel.NONE)
        basis = np.stack([channel.through(through, part) for part in (target, background)], axis=1)
        gains, *_ = np.linalg.lstsq(basis, clip.astype(np.float64), rcond=None)
        snr = power_db(gains[0] * target) - power_db(gains[1] * background)
        assert snr == pytest.approx(row["snr_db"], abs=0.1)
        assert np.abs(basis @ gains - clip).max() < 2e-3


def test_a_reverberant_target_is_as_loud_as_the_dry_one(items, responses):
    item = items.iloc[0].to_dict() | played.scenery(items.iloc[0].to_dict(), "white")
    (in_room,) = [one for one in CONDITIONS if one.key == "room_1"]
    dry, wet = (played.sounds(item, one, responses, SEED)[0] for one in (NEUTRAL, in_room))
    assert not np.allclose(dry, wet, atol=1e-3)
    # Over the whole crop; the middle of it that is played may differ by a little.
    assert power_db(wet) == pytest.approx(power_db(dry), abs=6)


def test_the_published_protocol_plays_each_condition_once():
    neutral = played.Condition("neutral", "", (), 1000, played.CLEAN)
    axes = {"duration": [20, 1000], "noise": [-10, 0], "room": ["none", 0.3]}
    conditions = played.around(neutral, axes)
    by_key = {condition.key: condition for condition in conditions}
    assert by_key["duration_20"].duration_ms == 20
    assert by_key["duration_20"].background == played.CLEAN
    assert by_key["noise_-10"].snr_db == (-10.0,)
    assert by_key["noise_-10"].background == "white"
    assert by_key["room_none"].room == room.NONE


def test_clean_clips_of_every_length_are_rendered(sources, tmp_path):
    neutral = played.Condition("neutral", "", (), 1000, played.CLEAN)
    conditions = played.around(neutral, {"duration": [20, 1000], "noise": [-10]})
    items = played.condition_items(sources, conditions, 4, seed=SEED, least_active=0.7,
                                   categories=["music", "noise"])  # fmt: skip
    paths = {condition.key: tmp_path / f"{condition.key}.parquet" for condition in conditions}
    played.write(items, conditions, paths, {}, seed=SEED, level="peak", workers=1)
    short = read_cell(paths["duration_20"])
    assert {len(from_flac_bytes(clip)) for clip in short["audio"]} == {320}
    assert short["snr_db"].isna().all()
    assert (read_cell(paths["noise_-10"])["snr_db"] == -10).all()
