"""The nano models: stock folders, trained from the train split alone, the same bytes every time."""

import re
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from support import qwen_models

from speechdt import find_detectors
from speechdt.audio import io as audio_io
from speechdt.prompts.answer_options import swap_options

DETECTORS = find_detectors()
nano, models, questions, sounds, training, question = (
    import_module(f"speechdt_backends.qwen.{name}")
    for name in (
        *("nano.provide", "nano.models", "nano.questions", "nano.sounds", "nano.training"),
        "question",
    )
)
STOCK_CLASSES = {
    "qwen2_audio": transformers.Qwen2AudioForConditionalGeneration,
    "qwen3_omni": transformers.Qwen3OmniMoeThinkerForConditionalGeneration,
}
CHATS = {
    "qwen2_audio": "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\nSpeech?<|im_end|>\n<|im_start|>assistant\n",
    "qwen3_omni": "<|im_start|>user\n<|audio_start|><|audio_pad|><|audio_end|>Speech?<|im_end|>\n"
    "<|im_start|>assistant\n",
}
STEPS = {"reading_steps": 3, "hearing_steps": 3, "clips": 8, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def few(sources):
    """Some sources of every split and category."""
    return sources.groupby(["split", "category"]).head(4).reset_index(drop=True)


@pytest.fixture(scope="module", params=list(STOCK_CLASSES))
def trained(request, few, tmp_path_factory):
    """Architecture, recipe, folder and cache of a nano model of a few steps."""
    folder = tmp_path_factory.mktemp(request.param)
    recipe = nano.Recipe(request.param, seed=1, least_active=0.7, **STEPS)
    assert nano.provide(few, recipe, folder / "model", folder / "kept")
    return request.param, recipe, folder


@pytest.fixture(scope="module")
def recordings(few):
    return sounds.Recordings(nano.train_split(few), 0.7, 1)


def digests(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def noise(count, samples):
    rng = np.random.default_rng(1)
    return [rng.normal(0, 0.1, samples).astype(np.float32) for _ in range(count)]


def test_it_is_a_detector(trained):
    name, _, folder = trained
    detector = DETECTORS[name](model=str(folder / "model"), device="cpu")
    scores = detector.score(noise(3, 3200))
    assert scores.shape == (3,)
    assert ((scores > 0) & (scores < 1)).all()
    assert type(detector.lm) is STOCK_CLASSES[name]


def test_the_stock_class_takes_the_folder(trained):
    name, _, folder = trained
    _, info = STOCK_CLASSES[name].from_pretrained(folder / "model", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]


def test_it_answers_as_the_stock_model_does(trained):
    name, _, folder = trained
    detector = DETECTORS[name](model=str(folder / "model"), device="cpu")
    stock = STOCK_CLASSES[name].from_pretrained(folder / "model").eval()
    recipe = qwen_models.STOCK[name](stock, folder / "model", detector.answers.ids)
    for milliseconds in (200, 300, 500, 1000, 5000):
        clip = qwen_models.clip(milliseconds)
        np.testing.assert_allclose(
            detector.log_odds([clip], both=False).ravel(),
            recipe.log_odds([clip], qwen_models.BASELINE),
            atol=1e-4,
        )


def test_it_learns_what_the_detector_will_compute(trained):
    name, _, folder = trained
    detector = DETECTORS[name](model=str(folder / "model"), device="cpu")
    engine = detector.engine
    features = engine.mel(torch.from_numpy(engine.mel.padded(noise(3, 16_000))), [100] * 3)
    with torch.no_grad():
        tower = engine.tower(features, [100] * 3)
        embeddings = models.HEARING[name](detector.lm, features)
    torch.testing.assert_close(embeddings, tower, rtol=1e-4, atol=1e-5)


def test_the_chat_is_in_the_real_models_format(trained):
    name, _, folder = trained
    own = import_module(f"speechdt_backends.qwen.{name}")
    config = STOCK_CLASSES[name].config_class.from_pretrained(folder / "model")
    chat, _ = own.load_processor(str(folder / "model"), None, own.audio_token_id(config))
    assert chat.render("Speech?") == CHATS[name]
    assert chat.answer_tokens().texts == ("A", "B")
    for text in (*questions.LETTERS, "<|im_start|>", "<|im_end|>"):
        assert len(chat.tokenizer(text)["input_ids"]) == 1
    unheard_of = "Ünlikely wörds, 猫?\n"
    assert chat.tokenizer.decode(chat.tokenizer(unheard_of)["input_ids"]) == unheard_of


def test_the_stock_processor_takes_the_folder(trained):
    name, _, folder = trained
    if name == "qwen3_omni":
        pytest.importorskip("torchvision", reason="its video part wants torchvision")
    processor = transformers.AutoProcessor.from_pretrained(folder / "model")
    inputs = processor(
        text=CHATS[name], audio=noise(1, 16_000), sampling_rate=16_000, return_tensors="pt"
    )
    # Under transformers 5.17 the processor of Qwen3-Omni does not name its audio token so.
    audio = processor.tokenizer.convert_tokens_to_ids(processor.audio_token)
    tokens = (inputs["input_ids"] == audio).sum()
    assert tokens == {"qwen2_audio": 25, "qwen3_omni": 13}[name]


def test_it_is_kept_and_taken_again(trained, few, monkeypatch):
    _, recipe, folder = trained
    monkeypatch.setattr(nano, "train", None)
    assert not nano.provide(few, recipe, folder / "again", folder / "kept")
    assert digests(folder / "again") == digests(folder / "model")


def test_the_same_recipe_gives_the_same_bytes(trained, few, tmp_path):
    _, recipe, folder = trained
    torch.manual_seed(99)
    shuffled = few.sample(frac=1, random_state=1)
    nano.provide(shuffled, recipe, tmp_path / "model", tmp_path / "kept")
    assert digests(tmp_path / "model") == digests(folder / "model")
    other = recipe._replace(seed=2)
    nano.provide(few, other, tmp_path / "other", tmp_path / "kept")
    weights = "model.safetensors"
    assert digests(tmp_path / "other")[weights] != digests(folder / "model")[weights]


def test_only_recordings_of_train_are_read(few, tmp_path, monkeypatch):
    read, opened = audio_io.read, []
    monkeypatch.setattr(audio_io, "read", lambda path: opened.append(path) or read(path))
    recipe = nano.Recipe("qwen3_omni", seed=1, least_active=0.7, **STEPS)
    nano.provide(few, recipe, tmp_path / "model", tmp_path / "kept")
    assert set(few.set_index("path")["split"][opened]) == {"train"}
    with pytest.raises(sounds.NotTrain):
        sounds.Recordings(few, 0.7, 1)


def test_the_key_is_that_of_train_and_recipe(few):
    recipe = nano.Recipe("qwen3_omni", seed=1, least_active=0.7, **STEPS)
    train = few["split"] == "train"
    one = few.index == train.idxmax()

    def key(sources=few, recipe=recipe):
        return nano.key(nano.train_split(sources), recipe)

    assert key(few.sample(frac=1, random_state=1)) == key()
    assert key(few.assign(path="elsewhere")) == key()
    assert key(few.assign(sha256=few["sha256"].where(train, "another"))) == key()
    assert key(few.assign(sha256=few["sha256"].mask(one, "another"))) != key()
    assert key(few.assign(split=few["split"].mask(one, "dev"))) != key()
    for change in ({"seed": 2}, {"hearing_steps": 4}, {"code": "edited"}):
        assert key(recipe=recipe._replace(**change)) != key()


def test_the_card_says_what_it_is(trained, few):
    name, _, folder = trained
    card = (folder / "model" / "README.md").read_text()
    assert f"# nano {name}" in card
    assert "A toy." in card
    assert "Dev and test were not read" in card
    assert nano.train_hash(nano.train_split(few)) in card


def test_a_train_split_without_a_class_is_refused(few):
    train = nano.train_split(few)
    for absent, named in ((["speech"], "no speech"), (questions.SOUNDS[1:], "other than speech")):
        with pytest.raises(sounds.TooFewSounds, match=named):
            sounds.Recordings(train[~train["category"].isin(absent)], 0.7, 1)
    fewer = sounds.Recordings(train[train["category"] != "music"], 0.7, 1)
    categories, _ = sounds.batch(fewer, 40, np.random.default_rng(1))
    assert "music" not in categories


def test_the_baseline_is_the_requirements():
    assert questions.REQUIRED[0].prompt() == question.BASELINE_PROMPT


@pytest.mark.parametrize("wording", questions.WORDINGS + questions.SILENCE)
def test_options_change_places_as_the_detector_does_it(wording):
    assert swap_options(wording.prompt()) == wording.prompt(yes_is_a=False)


def test_answers_are_right(rng):
    either = {
        wording.prompt(yes_is_a): (wording in questions.WORDINGS, yes_is_a)
        for wording in questions.WORDINGS + questions.SILENCE
        for yes_is_a in (True, False)
    }
    for category in (*questions.SOUNDS, questions.SILENT):
        for _ in range(200):
            asked = questions.draw(category, 0.7, 0.5, rng)
            if asked.prompt in either:
                for_speech, yes_is_a = either[asked.prompt]
                yes = category == "speech" if for_speech else category != questions.SILENT
                assert asked.answer == ("A" if yes == yes_is_a else "B")
            else:
                options = dict(re.findall(r"^([A-E])\) (.+)$", asked.prompt, re.MULTILINE))
                assert options[asked.answer] == category


def test_batches_are_balanced(recordings, rng):
    categories, clips = sounds.batch(recordings, 400, rng)
    assert clips.shape == (400, sounds.CLIP)
    assert clips.dtype == np.float32
    assert np.abs(clips).max() <= 1
    counts = pd.Series(categories).value_counts()
    assert 170 <= counts["speech"] <= 200
    assert 1 <= counts[questions.SILENT] < 40
    assert counts[list(questions.SOUNDS[1:])].min() > 25


def test_alterations_stay_features(rng):
    features = 2 * torch.rand(6, 128, 104)
    altered = sounds.alter(features, training.band_centres(128), rng)
    assert altered.shape == features.shape
    assert not torch.equal(altered, features)
    assert (altered.amax((1, 2)) - altered.amin((1, 2)) <= sounds.RANGE + 1e-5).all()


def test_band_centres_are_those_of_the_filters():
    filters = models.extractor().mel_filters
    peaks = filters.argmax(axis=0) * 8000 / (len(filters) - 1)
    assert np.abs(training.band_centres(128) - peaks).max() <= 40
