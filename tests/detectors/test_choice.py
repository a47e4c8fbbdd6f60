"""Choices on dev: planted detectors whose hearing has a window of levels, or none."""

import numpy as np
import pytest
from support.trial_cells import row

from speechdt.audio.io import from_flac_bytes
from speechdt.audio.mixing import set_level
from speechdt.audio.presentation import rms_db
from speechdt.detectors import choice
from speechdt.detectors.contract import hears_at_own_level
from speechdt.detectors.hearing import Hearing, OneDetector
from speechdt.detectors.level_probe import probe
from speechdt.trials.cells import write_cell

LADDER = ("stored", -20, -26, -32, -38, -44)
GROUPS = 12


class Window:
    """Hears a tone of 500 Hz in clips whose level lies within 3 dB of −32 dBFS; guesses others."""

    gpus = 0
    asked = 0

    def __init__(self, blind: bool = False):
        self.blind = blind

    def score(self, clips):
        type(self).asked += len(clips)
        return [self.one(clip) for clip in clips]

    def one(self, clip):
        tone = np.abs(np.exp(2j * np.pi * 500 / 16_000 * np.arange(len(clip))) @ clip)
        share = tone**2 / (len(clip) * np.sum(np.square(clip, dtype=float)))
        guess = abs(float(clip[0] / np.abs(clip).max()))
        near = self.blind or abs(rms_db(clip) + 32) < 3
        return float(share if near else guess)


class SixteenBits(Window):
    takes_int16 = True


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    rng = np.random.default_rng(5)
    rows = []
    for number in range(4 * GROUPS):
        label = ("SPEECH", "NONSPEECH")[number % 2]
        noise = rng.normal(0, 1, 3200)
        tone = np.sin(2 * np.pi * 500 / 16_000 * np.arange(3200) + number)
        mixed = noise + (0.5 * tone if label == "SPEECH" else 0)
        made = row(f"x-{number:03d}", label, 200, set_level(mixed, "peak"))
        rows.append(made | {"group_id": f"{label}{number // 2 % GROUPS}"})
    path = tmp_path_factory.mktemp("dev") / "snr0_dur200.parquet"
    write_cell(path, rows)
    return [path]


def alternatives(levels=LADDER, **options):
    return [{"level": level, "container": "none", "options": options} for level in levels]


def chosen(dev, folder, cls=Window, offered=None, options=None):
    base = Hearing("window", cls, options or {})
    settings = {"clips": 99, "replicates": 200, "seed": 1, "who": "variants.W: backend 'window'"}
    return choice.choose(dev, base, offered or alternatives(), folder, **settings)


def test_the_level_at_which_a_detector_hears_is_chosen(dev, tmp_path):
    selection = chosen(dev, tmp_path)
    assert selection["chosen"]["level"] == -32
    assert selection["chosen"]["auc"] > 0.95
    assert selection["default"]["level"] == "stored"
    assert 0.3 < selection["default"]["auc"] < 0.7
    shares = {one["level"]: one["share"] for one in selection["tried"]}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[-32] > 0.9
    assert (selection["clips"], selection["groups"], selection["split"]) == (48, 24, "dev")


def test_of_equals_the_first_wins_and_rank_order_does_not_hang_on_level(dev, tmp_path):
    selection = chosen(dev, tmp_path, options={"blind": True})
    assert selection["chosen"]["level"] == "stored"
    assert [one["auc"] for one in selection["tried"]] == pytest.approx(
        [selection["chosen"]["auc"]] * 6
    )


def test_the_aucs_are_the_stock_ones(dev, tmp_path):
    metrics = pytest.importorskip("sklearn.metrics")
    selection = chosen(dev, tmp_path)
    trials = choice.read_trials(dev, 999)
    hearing = Hearing("window", Window, {}).under(alternatives()[3])
    scores = hearing.build().score([from_flac_bytes(clip) for clip in trials["audio"]])
    expected = metrics.roc_auc_score(trials["speech"], scores)
    assert selection["tried"][3]["auc"] == pytest.approx(expected)


def test_nothing_is_asked_twice(dev, tmp_path):
    first = chosen(dev, tmp_path)
    before = Window.asked
    assert chosen(dev, tmp_path) == first
    one = OneDetector(Hearing("window", Window, {}).under(first["chosen"]))
    settings = {"clips": 99, "replicates": 200, "seed": 1, "who": "w"}
    probe(dev, one, [-20.0, -26.0, -32.0], tmp_path, **settings)
    assert Window.asked == before


def test_sixteen_bits_are_not_offered_levels_that_clip(dev, tmp_path):
    offered = alternatives(("stored", -32, -9))
    selection = chosen(dev, tmp_path, SixteenBits, offered)
    assert [one["level"] for one in selection["tried"]] == ["stored", -32]
    (refused,) = selection["not_offered"]
    assert refused["level"] == -9
    assert refused["beyond_full_scale"] > choice.MOST_CLIPPED
    assert not chosen(dev, tmp_path, Window, offered)["not_offered"]


def test_the_share_beyond_full_scale_is_counted(dev):
    audio = choice.read_trials(dev, 999)["audio"]
    clips = [from_flac_bytes(clip) for clip in audio]
    loud = [np.abs(clip).max() * 10 ** ((-10 - rms_db(clip)) / 20) > 1 for clip in clips]
    shares = choice.beyond_full_scale(audio, ["stored", -10, -40])
    assert shares == {"stored": 0, -10: pytest.approx(np.mean(loud)), -40: 0}


def test_kept_scores_belong_to_a_level_a_container_and_options():
    base = Hearing("window", Window, {})
    offered = [
        {"level": level, "container": container, "options": {"blind": blind}}
        for level in ("stored", -20, -26.5)
        for container in ("none", "mirrored", {"noise_ms": 500}, {"noise_ms": 600})
        for blind in (False, True)
    ]
    names = {base.under(one).store_name() for one in offered}
    assert len(names) == len(offered)
    assert base.under(offered[0]).store_name() == base.under(offered[0]).store_name()


def test_a_choice_between_options_and_containers_is_of_combinations(dev, tmp_path):
    offered = [
        {"level": -32, "container": container, "options": {"blind": blind}}
        for container in ("none", "mirrored")
        for blind in (False, True)
    ]
    selection = chosen(dev, tmp_path, offered=offered)
    assert [one["options"]["blind"] for one in selection["tried"]] == [False, True, False, True]


def test_of_many_combinations_one_axis_is_tried_after_the_other(dev, tmp_path):
    offered = [
        {"level": level, "container": container, "options": {"blind": blind}}
        for level in LADDER
        for container in ("none", "mirrored")
        for blind in (False, True)
    ]
    selection = chosen(dev, tmp_path, offered=offered)
    assert (selection["offered"], len(selection["tried"])) == (24, 8)
    assert [one["level"] for one in selection["tried"][:6]] == list(LADDER)
    assert selection["chosen"]["level"] == -32
    assert selection["chosen"]["auc"] == max(one["auc"] for one in selection["tried"])


def test_fewer_clips_are_even_over_classes(dev):
    trials = choice.read_trials(dev, 10)
    assert trials["speech"].sum() == 5
    assert len(trials) == trials["trial_id"].nunique() == 10


def test_a_probe_marks_what_it_cannot_offer_and_measures_the_rest(dev, tmp_path):
    one = OneDetector(Hearing("window", SixteenBits, {}).under(alternatives()[3]))
    settings = {"clips": 20, "replicates": 200, "seed": 1, "who": "w"}
    table = probe(dev, one, [-9.0, -32.0], tmp_path, **settings).set_index("level")
    assert list(table.index) == ["stored", -32.0, -9.0]
    assert np.isnan(table.loc[-9.0, "auc"])
    assert table.loc[-32.0, "moved"] == 0
    assert table.loc["stored", "moved"] > 0
    assert table.loc[-32.0, "auc"] > 0.9
    assert (table["clips"] == 20).all()


def test_a_gain_is_paired_and_zero_where_nothing_was_chosen(dev, tmp_path):
    trials = choice.read_trials(dev, 999)
    p = np.where(trials["speech"], 0.8, 0.2) + np.linspace(0, 0.1, len(trials))
    noise = np.random.default_rng(1).random(len(trials))
    settings = {"replicates": 400, "seed": 2}
    same = choice.gain(trials, noise, noise, **settings)
    assert (same["gain"], same["gain_low"], same["gain_high"]) == (0, 0, 0)
    gain = choice.gain(trials, p, noise, **settings)
    assert gain["gain"] == pytest.approx(gain["auc"] - gain["auc_stored"])
    assert gain["gain_low"] > 0


def test_who_hears_at_a_level_of_its_own():
    assert hears_at_own_level(Window)
    asked = type("Asked", (Window,), {"score_prompts": lambda *_: None})
    trained = type("Trained", (Window,), {"FineTuning": dict})
    own = type("Own", (trained,), {"own_level": True})
    assert (hears_at_own_level(asked), hears_at_own_level(trained)) == (False, False)
    assert hears_at_own_level(own)
