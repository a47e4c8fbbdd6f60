"""Our scores of Qwen2-Audio and Qwen3-Omni against the stock models, on small random ones."""

import importlib
import json
import shutil
import warnings
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support import qwen_models as small
from transformers import AutoProcessor, Qwen3OmniMoeConfig, WhisperFeatureExtractor

from speechdt import PluginError, check_options, find_detectors
from speechdt.detectors.stages import recording

pytestmark = pytest.mark.usefixtures("one_thread")

DETECTORS = find_detectors()
EXACT = 1e-4  # in log-odds
MILLISECONDS = (40, 200, 300, 500, 1000, 5000)
MIXED = [small.clip(ms, seed) for seed, ms in enumerate((*MILLISECONDS, 200, 237, 1430.5))]
BASELINE = small.BASELINE
LM_ONLY = r".*(language_model|thinker|model)\.layers\..*\.(q_proj|v_proj|o_proj)"
ARCHITECTURES = list(small.ARCHITECTURES)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request, tmp_path_factory):
    """A checkpoint, our detector on it, and the stock log-odds of clips, each by itself."""
    return opened(request.param, tmp_path_factory.mktemp(request.param) / "model")


def stock_class(name: str) -> type:
    return small.ARCHITECTURES[name][0]


def opened(name: str, folder: Path, adapter: Path | None = None) -> SimpleNamespace:
    if not folder.exists():
        small.save(name, folder)
    stock = stock_class(name).from_pretrained(folder, dtype=torch.float32).eval()
    if adapter is not None:
        from peft import PeftModel

        stock = PeftModel.from_pretrained(stock, adapter).eval()
    options = {} if adapter is None else {"adapter": str(adapter)}
    detector = DETECTORS[name](model=str(folder), device="cpu", **options)

    @cache
    def recipe(side):
        return small.STOCK[name](stock, folder, detector.answers.ids, side)

    def batch(clips, prompt=BASELINE, side="left"):
        return recipe(side).log_odds(clips, prompt)

    answered = {}

    def by_itself(clip, prompt):
        key = (clip.tobytes(), prompt)
        if key not in answered:
            # The second clip keeps the stock Qwen2-Audio on its path for expanded audio tokens.
            second = [] if name == "qwen3_omni" else [small.clip(1000)]
            answered[key] = batch([clip, *second], prompt)[0]
        return answered[key]

    def alone(clips, prompt=BASELINE):
        return np.array([by_itself(clip, prompt) for clip in clips])

    return SimpleNamespace(
        name=name, folder=folder, detector=detector, stock=stock, batch=batch, alone=alone
    )


def ours(model, clips, prompt=BASELINE):
    return model.detector.log_odds(clips, [prompt], both=False)[0, 0]


def module_of(detector, name):
    cls = detector if isinstance(detector, type) else type(detector)
    return importlib.import_module(f".{name}", cls.__module__.rpartition(".")[0])


# --- equal to the stock model ---------------------------------------------------------------------


@pytest.mark.parametrize("milliseconds", MILLISECONDS)
def test_one_clip_equals_the_stock_model(model, milliseconds):
    clip = small.clip(milliseconds)
    assert ours(model, [clip])[0] == pytest.approx(model.alone([clip])[0], abs=EXACT)


def test_a_mixed_batch_equals_the_stock_model_on_each_clip(model, report_error):
    expected = model.alone(MIXED)
    assert np.ptp(expected) > 1  # the clips are told apart at all
    report_error(model.name, ours(model, MIXED) - expected)
    model.detector.engine.batch_size = 4
    np.testing.assert_allclose(ours(model, MIXED[::-1])[::-1], expected, atol=EXACT)
    model.detector.engine.batch_size = None


@pytest.fixture
def report_error(record_property):
    def report(name, difference):
        record_property(f"{name} max error", float(np.abs(difference).max()))
        np.testing.assert_allclose(difference, 0, atol=EXACT)

    return report


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_side_of_the_stock_batch_does_not_matter(model, side):
    # The stock Qwen3-Omni does not give a short clip the same answer beside a longer one as alone
    # (its convolutions and its last window see the padding); clips of one length are its batches.
    clips = MIXED if model.name == "qwen2_audio" else [small.clip(500, i) for i in range(3)]
    np.testing.assert_allclose(ours(model, clips), model.batch(clips, side=side), atol=EXACT)


@pytest.mark.parametrize("stretch", [1.0, 1000.0])
def test_padding_of_our_batches_does_not_matter(model, monkeypatch, stretch):
    engine = module_of(model.detector, "engine")
    expected = [ours(model, [clip])[0] for clip in MIXED]
    monkeypatch.setattr(engine, "STRETCH", stretch)
    np.testing.assert_allclose(ours(model, MIXED), expected, atol=EXACT)


def test_stock_model_of_a_clip_that_fills_30_s(model):
    clips = [small.clip(29_995), small.clip(30_000)]
    np.testing.assert_allclose(ours(model, clips), model.alone(clips), atol=EXACT)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("targets", [LM_ONLY, ["q_proj", "k_proj", "v_proj", "fc1"]])
def test_with_an_adapter(tmp_path, name, targets):
    base = small.save(name, tmp_path / "base")
    adapter = small.save_adapter(tmp_path / "lora", base, stock_class(name), targets)
    plain, adapted = opened(name, base), opened(name, base, adapter)
    clips = MIXED[:5]
    expected = adapted.alone(clips)
    assert np.abs(expected - plain.alone(clips)).max() > 0.01
    np.testing.assert_allclose(ours(adapted, clips), expected, atol=EXACT)
    np.testing.assert_allclose([ours(adapted, [c])[0] for c in clips], expected, atol=EXACT)


@pytest.mark.parametrize(("width", "heads", "kv_heads"), [(64, 4, 4), (40, 5, 1)])
def test_a_folder_with_other_dimensions(tmp_path, width, heads, kv_heads):
    folder = small.save(
        "qwen2_audio",
        tmp_path / "m",
        seed=3,
        hidden_size=width,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
    )
    stock = stock_class("qwen2_audio").from_pretrained(folder, dtype=torch.float32).eval()
    detector = DETECTORS["qwen2_audio"](model=str(folder), device="cpu")
    clips = MIXED[1:5]
    recipe = small.STOCK["qwen2_audio"](stock, folder, detector.answers.ids)
    z = recipe.log_odds(clips, BASELINE)
    np.testing.assert_allclose(detector.score(clips), 1 / (1 + np.exp(-z)), atol=EXACT)


def test_a_whole_qwen3_omni_checkpoint_gives_its_thinker(tmp_path):
    """As on the hub: a config of three models, weights named ``thinker.``, one matrix an expert."""
    thinker = opened("qwen3_omni", tmp_path / "thinker")
    whole = tmp_path / "whole"
    shutil.copytree(thinker.folder, whole)
    own = small.tokenizer([], **small.OMNI_TOKENS)
    thinker_config = small.settings("qwen3_omni", own, **small.SMALL["qwen3_omni"])
    Qwen3OmniMoeConfig(thinker_config=thinker_config).save_pretrained(whole)
    weights = {"talker.extra.weight": torch.zeros(2)}
    for name, weight in load_file(thinker.folder / "model.safetensors").items():
        name = "thinker." + name.removeprefix("thinker.").replace("model.language_model", "model")
        name = name.replace("model.audio_tower", "audio_tower").replace("model.visual", "visual")
        weights |= small.by_expert(name, weight)
    save_file(weights, whole / "model.safetensors", metadata={"format": "pt"})
    assert json.loads((whole / "config.json").read_text())["model_type"] == "qwen3_omni_moe"
    detector = DETECTORS["qwen3_omni"](model=str(whole), device="cpu")
    np.testing.assert_array_equal(detector.score(MIXED[:3]), thinker.detector.score(MIXED[:3]))


# --- prompts and answers --------------------------------------------------------------------------

PROMPTS = [
    BASELINE,
    "Is there human speech in this audio?\n\nA) Yes\nB) No\n\nYour response:",
    "Listen to the audio.\n\nA = Contains human voice\nB = Does not\n\nSelect:",
]


def test_prompts_together_equal_prompts_one_by_one(model):
    together = model.detector.score_prompts(MIXED, PROMPTS)
    assert together.shape == (len(PROMPTS), len(MIXED))
    for prompt, scores in zip(PROMPTS, together, strict=True):
        z = np.log(scores) - np.log1p(-scores)
        np.testing.assert_allclose(z, ours(model, MIXED, prompt), atol=EXACT)
        np.testing.assert_allclose(z, model.alone(MIXED, prompt), atol=EXACT)
        one_by_one = DETECTORS[model.name](
            model=str(model.folder), prompt=prompt, device="cpu"
        ).score(MIXED)
        np.testing.assert_allclose(scores, one_by_one, atol=1e-5)


def test_prompts_encode_each_clip_once(model, monkeypatch):
    encoded = []
    tower = model.detector.engine.tower

    class Counting:
        tokens = staticmethod(tower.tokens)

        def __call__(self, mel, frames):
            encoded.extend(frames)
            return tower(mel, frames)

    monkeypatch.setattr(model.detector.engine, "tower", Counting())
    model.detector.score_prompts(MIXED, PROMPTS)
    assert len(encoded) == len(MIXED)


def test_both_orders_average_the_prompt_and_its_exchange(model):
    exchanged = (
        "Choose one:\nA) NONSPEECH (music/noise/silence/animals)\nB) SPEECH (human voice)\n\n"
        "Answer with A or B ONLY."
    )
    both = DETECTORS[model.name](model=str(model.folder), option_order="both", device="cpu")
    z = (model.alone(MIXED) - model.alone(MIXED, exchanged)) / 2
    np.testing.assert_allclose(both.score(MIXED), 1 / (1 + np.exp(-z)), atol=EXACT)
    by_order = model.detector.log_odds(MIXED)
    assert by_order.shape == (2, 1, len(MIXED))
    np.testing.assert_allclose(by_order[1, 0], -model.alone(MIXED, exchanged), atol=EXACT)


@pytest.mark.parametrize("prompt", ["Is it speech?", "A) yes\nB) no\nB) never", "A) or B)"])
def test_no_options_to_exchange(model, prompt):
    with pytest.raises(ValueError, match="one line 'A\\)"):
        DETECTORS[model.name](model=str(model.folder), prompt=prompt, option_order="both")
    assert (
        DETECTORS[model.name](model=str(model.folder), prompt=prompt, device="cpu")
        .score(MIXED[:1])
        .size
        == 1
    )


def test_the_baseline_prompt_is_the_requirements(model):
    assert model.detector.prompt == BASELINE


def test_answer_tokens_follow_the_generation_prompt(model):
    assert model.detector.answers.texts == ("A", "B")
    tokens = [small.tokenizer([]).convert_ids_to_tokens(i) for i in model.detector.answers.ids]
    assert tokens == ["A", "B"]


def test_answer_tokens_after_a_generation_prompt_within_a_line(tmp_path):
    folder = small.save("qwen2_audio", tmp_path / "m")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("assistant\n", "assistant:"))
    detector = DETECTORS["qwen2_audio"](model=str(folder), device="cpu")
    assert detector.answers.texts == (" A", " B")


# --- guards ---------------------------------------------------------------------------------------


def test_too_short_for_an_audio_token(model):
    for clip in (small.clip(10), small.clip(20) if model.name == "qwen2_audio" else small.clip(5)):
        with pytest.raises(ValueError, match=r"clip 1 has .* too short for an audio token"):
            model.detector.score([small.clip(200), clip])


def test_the_shortest_clip_that_is_heard(model):
    clip = np.ones(321 if model.name == "qwen2_audio" else 201, dtype=np.float32)
    assert np.isfinite(ours(model, [clip])).all()


def test_other_clips_that_cannot_be_heard(model):
    with pytest.raises(ValueError, match="must be mono"):
        model.detector.score([np.zeros((2, 3200), dtype=np.float32)])
    most = 30 * 16_000 if model.name == "qwen2_audio" else 300 * 16_000
    with pytest.raises(ValueError, match=f"at most {most}"):
        model.detector.score([np.zeros(most + 1, dtype=np.float32)])


def test_answers_that_are_not_finite(model):
    clip = small.clip(300)
    clip[100] = np.nan
    with pytest.raises(ValueError, match="clip 1 is not finite"):
        model.detector.score([small.clip(300), clip])


def test_audio_features_that_do_not_match_the_tokens(model, monkeypatch):
    tower = model.detector.engine.tower

    class Short:
        tokens = staticmethod(tower.tokens)

        def __call__(self, mel, frames):
            return tower(mel, frames)[:, :-1]

    monkeypatch.setattr(model.detector.engine, "tower", Short())
    with pytest.raises(ValueError, match=r"6 audio features for 7 audio tokens|3 .* for 4"):
        model.detector.score([small.clip(300)])


def test_a_prompt_with_an_audio_token_of_its_own(model):
    token = "<|AUDIO|>" if model.name == "qwen2_audio" else "<|audio_pad|>"
    with pytest.raises(ValueError, match="2 audio tokens"):
        model.detector.score_prompts([small.clip(300)], [f"{token} A or B?"])


def test_a_model_that_does_not_hear_is_told(tmp_path):
    folder = small.save("qwen2_audio", tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    deaf = {n: w * 0 if "multi_modal_projector" in n else w for n, w in weights.items()}
    save_file(deaf, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.warns(UserWarning, match="the same answer"):
        DETECTORS["qwen2_audio"](model=str(folder))


def test_a_model_that_hears_is_not_warned_of(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        DETECTORS[model.name](model=str(model.folder))


def test_weights_that_are_missing(tmp_path):
    folder = small.save("qwen2_audio", tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if "layers.1.fc1" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks 2 weights .*layers\.1\.fc1"):
        DETECTORS["qwen2_audio"](model=str(folder))


def test_weights_that_nothing_loads(tmp_path):
    folder = small.save("qwen2_audio", tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    more = weights | {"language_model.model.layers.9.extra.weight": torch.zeros(2)}
    save_file(more, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"has beside what is loaded 1 weights .*layers\.9\.extra"):
        DETECTORS["qwen2_audio"](model=str(folder))


def test_a_model_for_another_sampling_rate(tmp_path):
    folder = small.save("qwen2_audio", tmp_path / "m")
    processor = AutoProcessor.from_pretrained(folder)
    processor.feature_extractor = WhisperFeatureExtractor(feature_size=128, sampling_rate=8000)
    processor.save_pretrained(folder)
    with pytest.raises(ValueError, match="takes 8000 Hz"):
        DETECTORS["qwen2_audio"](model=str(folder))


def test_folders_that_are_not_there(model, tmp_path):
    with pytest.raises(ValueError, match="cannot be loaded") as refused:
        DETECTORS[model.name](model=str(tmp_path / "none"))
    assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="no PEFT folder"):
        DETECTORS[model.name](model=str(model.folder), adapter=str(tmp_path))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(model):
    with pytest.raises(ValueError, match="no GPU"):
        DETECTORS[model.name](model=str(model.folder), device="cuda")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "'model' is required"),
        ({"model": "m", "option_order": "any"}, "'fixed', 'both'"),
        ({"model": "m", "device": "tpu"}, "'auto', 'cpu', 'cuda'"),
        ({"model": "m", "batch_size": "8"}, "batch_size"),
        ({"model": "m", "prompts": []}, "no option 'prompts'"),
    ],
)
def test_options_are_checked_before_anything_is_loaded(options, message):
    for name in ARCHITECTURES:
        with pytest.raises(PluginError, match=message):
            check_options(DETECTORS[name], options)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_layers_are_spread_over_gpus_where_one_is_too_small(tmp_path, name):
    loading = module_of(DETECTORS[name], "loading")
    cls, save_processor, shape = small.ARCHITECTURES[name]
    with torch.device("meta"):
        model = cls._from_config(cls.config_class(**shape(save_processor(tmp_path))))
    room = 0.6 * loading.weight_bytes(model)
    places = loading._spread(model, [room, room])
    used = [0, 0]
    for weight_name, weight in [*model.named_parameters(), *model.named_buffers()]:
        (place,) = [where for part, where in places.items() if weight_name.startswith(f"{part}.")]
        used[place.index] += weight.numel() * weight.element_size()
    assert max(used) <= room
    assert sum(used) >= loading.weight_bytes(model)


# --- batches --------------------------------------------------------------------------------------


def test_no_clips_or_no_prompts_no_scores(model):
    assert model.detector.score([]).shape == (0,)
    assert model.detector.score_prompts([], PROMPTS).shape == (3, 0)
    assert model.detector.score_prompts(MIXED, []).shape == (0, len(MIXED))


def test_out_of_memory_halves_the_batch(tmp_path, monkeypatch):
    detector = DETECTORS["qwen2_audio"](
        model=str(small.save("qwen2_audio", tmp_path / "m")), device="cpu"
    )
    clips = [small.clip(200, i) for i in range(20)]
    expected = detector.score(clips)
    answer, sizes = detector.engine._answer, []

    def small_memory(clips, questions, audio):
        sizes.append(len(clips))
        if len(clips) > 6:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return answer(clips, questions, audio)

    monkeypatch.setattr(detector.engine, "_answer", small_memory)
    np.testing.assert_allclose(detector.score(clips), expected, atol=1e-6)
    assert sizes == [20, 10, 5, 5, 10, 5, 5]
    sizes.clear()
    detector.score(clips)
    assert sizes == [5, 5, 5, 5]

    # Encoded audio makes room first: with it gone, what fitted before fits again.
    detector.keep_audio(1.0)
    sizes.clear()
    scarce = [torch.OutOfMemoryError("CUDA out of memory")]

    def full_at_first(clips, questions, audio):
        sizes.append(len(clips))
        if scarce:
            raise scarce.pop()
        return answer(clips, questions, audio)

    monkeypatch.setattr(detector.engine, "_answer", full_at_first)
    np.testing.assert_allclose(detector.score(clips), expected, atol=1e-6)
    assert sizes == [5, 5, 5, 5, 5]
    assert detector.engine.kept.size == detector.engine.kept.budget == 0

    monkeypatch.setattr(detector.engine, "_answer", lambda *_: exec("raise torch.OutOfMemoryError"))
    with pytest.raises(torch.OutOfMemoryError):
        detector.score(clips[:1])


def test_stages_are_marked(model):
    with recording() as clock:
        model.detector.score(MIXED[:3])
        assert set(clock.take()) == {"features", "forward", "post"}
        DETECTORS[model.name](model=str(model.folder))
        assert "load" in clock.take()


@pytest.mark.filterwarnings("ignore:no CUDA graph")
def test_graphs_are_captured_for_a_shape_that_comes_again(tmp_path, monkeypatch):
    """The logic around CUDA graphs, with a function in place of a graph."""
    detector = DETECTORS["qwen2_audio"](
        model=str(small.save("qwen2_audio", tmp_path / "m")), device="cpu"
    )
    graphs = module_of(detector, "graphs")
    captured = []

    class Replay:
        def __init__(self, function, inputs, pool):
            captured.append([tuple(tensor.shape) for tensor in inputs])
            self.function = function

        def __call__(self, *inputs):
            return self.function(*inputs)

    monkeypatch.setattr(graphs, "CapturedFunction", Replay)
    monkeypatch.setattr(graphs.torch.cuda, "graph_pool_handle", lambda: object())
    clips = [small.clip(ms, i) for i in range(3) for ms in (200, 300, 500)]
    expected = detector.score(clips)
    detector.engine.graphs.enabled = True
    np.testing.assert_allclose([detector.score([c])[0] for c in clips], expected, atol=1e-6)
    assert len(captured) == 9  # features, tower and language model, for each of three lengths
    detector.score(clips)
    assert len(captured) == 9

    def refuses(*_):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(graphs, "CapturedFunction", refuses)
    detector.score([small.clip(800)])
    with pytest.warns(UserWarning, match=r"no CUDA graph of the features.*capturing$"):
        refused = detector.score([small.clip(800)])
    assert refused == pytest.approx(detector.score([small.clip(800)]), abs=1e-6)


# --- the share of both answers, the letter of SPEECH, the system message --------------------------


def test_the_mass_of_both_answers_is_that_of_the_stock_softmax(model):
    mass = model.detector.answer_mass(MIXED[:4])
    recipe = small.STOCK[model.name](model.stock, model.folder, model.detector.answers.ids)
    whole = []
    for clip in MIXED[:4]:
        with torch.inference_mode():
            second = [] if model.name == "qwen3_omni" else [small.clip(5000)]
            inputs = recipe.inputs([clip, *second], BASELINE)
            logits = model.stock(**inputs).logits[0, -1]
        whole.append(logits.softmax(-1)[list(model.detector.answers.ids)].sum().item())
    np.testing.assert_allclose(mass, whole, rtol=1e-4)
    assert model.detector.log_odds(MIXED[:1], both=False).shape == (1, 1, 1)


def test_speech_may_be_the_second_option(model):
    prompt = "Is the clip free of speech?\nA) Yes\nB) No"
    options = {"model": str(model.folder), "device": "cpu", "prompt": prompt}
    first = DETECTORS[model.name](**options).score(MIXED[:3])
    for order in ("fixed", "both"):
        other = DETECTORS[model.name](**options, speech_is="B", option_order=order)
        one = DETECTORS[model.name](**options, option_order=order)
        np.testing.assert_allclose(other.score(MIXED[:3]), 1 - one.score(MIXED[:3]), atol=1e-9)
    assert not np.allclose(first, 0.5)


def test_a_system_message_stands_in_front_of_the_question(model):
    system = "You answer questions about sounds."
    detector = DETECTORS[model.name](model=str(model.folder), device="cpu", system=system)
    rendered = detector._chat.render(BASELINE)
    assert rendered.index(system) < rendered.index("Choose one")
    assert system not in detector._chat.render_text("Write.")
    assert np.abs(ours(model, MIXED[:3]) - detector.log_odds(MIXED[:3], both=False)).max() > 1e-3
