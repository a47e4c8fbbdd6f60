"""Fine-tuning of small random models: the losses, the adapter, resuming, and what is refused."""

import json
import logging
import resource
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from peft import PeftModel
from safetensors.torch import load_file
from support import finetuning
from support import qwen_models as small
from support.finetuning import DETECTORS, SETTINGS, module
from support.trial_cells import write_cells

from speechdt import check_options
from speechdt.audio.io import from_flac_bytes
from speechdt.errors import SpeechdtError
from speechdt.trials.cells import read_cell
from speechdt.workflow.jobs import logged

pytestmark = pytest.mark.usefixtures("one_thread")

CAMPAIGN = pytest.mark.campaign
ARCHITECTURES = list(small.ARCHITECTURES)
QUICK = SETTINGS | {
    "spec_augment": {"frequency_mask": 10, "time_mask": 0.1, "probability": 0.5},
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def base(name, tmp_path_factory):
    return small.save(name, tmp_path_factory.mktemp(name) / "model")


@pytest.fixture(scope="module")
def qwen2(tmp_path_factory):
    return small.save("qwen2_audio", tmp_path_factory.mktemp("qwen2") / "model")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    return SimpleNamespace(
        train=write_cells(folder / "train", 24), dev=write_cells(folder / "dev", 12, catch=True)
    )


def make_run(name, base, cells, dtype=torch.float32, **settings):
    return finetuning.make_run(name, base, cells, dtype, **(QUICK | settings))


def clips_of(paths):
    return [from_flac_bytes(audio) for path in paths for audio in read_cell(path)["audio"]]


# --- memory that runs out -------------------------------------------------------------------------


def test_memory_that_runs_out_halves_the_batch(qwen2, cells, tmp_path, monkeypatch, capsys):
    """The same steps, from the last checkpoint: the adapter is that of a run with room."""
    cls, forward = DETECTORS["qwen2_audio"], module("finetuning.answer_model").AnswerModel.forward
    passes = []

    def scarce(model, mel, *args, **kwargs):
        passes.append(len(mel))
        if model.training and len(mel) > 2 and len(passes) > 6:
            raise torch.OutOfMemoryError("none left")
        return forward(model, mel, *args, **kwargs)

    settings = QUICK | {"model": str(qwen2), "dropout": 0.0, "checkpoints": str(tmp_path / "kept")}
    monkeypatch.setattr(module("finetuning.answer_model").AnswerModel, "forward", scarce)
    cls.finetune(cells.train, cells.dev, tmp_path / "scarce", **settings)
    assert passes[:6] == [4] * 6
    assert set(passes[7:]) == {2}
    assert "memory ran out: batches of 2 from here on, 4 a step" in capsys.readouterr().out
    assert (
        '"batch_size": 2,\n "gradient_accumulation": 4'
        in (tmp_path / "scarce" / "README.md").read_text()
    )
    monkeypatch.undo()
    cls.finetune(cells.train, cells.dev, tmp_path / "plenty", **settings)
    scarce_weights, plenty = (
        load_file(tmp_path / name / "adapter_model.safetensors") for name in ("scarce", "plenty")
    )
    for name, weight in plenty.items():
        torch.testing.assert_close(scarce_weights[name], weight, atol=1e-4, rtol=1e-3)
    assert not any((tmp_path / "kept").iterdir())


def test_memory_for_not_even_one_clip(qwen2, cells, tmp_path, monkeypatch):
    def none(*_args, **_kwargs):
        raise torch.OutOfMemoryError("none left")

    monkeypatch.setattr(module("finetuning.answer_model").AnswerModel, "forward", none)
    with pytest.raises(SpeechdtError, match="a single clip at a time: set gradient_checkpointing"):
        DETECTORS["qwen2_audio"].finetune(
            cells.train, cells.dev, tmp_path / "out", **QUICK | {"model": str(qwen2)}
        )


# --- the losses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["answer", "assistant", "sequence"])
def test_losses_equal_the_stock_model(name, base, cells, loss):
    run = make_run(name, base, cells, loss=loss, dropout=0.0)
    # The stock Qwen3-Omni hears a clip beside a longer one otherwise: clips of one length.
    length = run.clips["train"][0].frames
    chosen = [(clip, 0) for clip in run.clips["train"] if clip.frames == length][:4]
    ours = run.model(**run.collate(chosen))["loss"]

    trials = module("finetuning.trials").read_train(cells.train, None)
    same = [i for i, clip in enumerate(run.clips["train"]) if clip.frames == length][:4]
    waves = [from_flac_bytes(trials["audio"][i]) for i in same]
    cls = small.ARCHITECTURES[name][0]
    stock = cls.from_pretrained(base, dtype=torch.float32).eval()
    inputs = small.STOCK[name](stock, base, run.answers).inputs(waves, small.BASELINE)
    answers = torch.tensor([[run.answers[clip.answer]] for clip, _ in chosen])
    if loss == "answer":
        logits = stock(**inputs).logits[:, -1]
        expected = F.cross_entropy(logits, answers[:, 0])
    else:
        end = torch.full_like(answers, run.collate.end_of_turn)
        prompt = inputs["input_ids"].shape[1]
        inputs["input_ids"] = torch.cat([inputs["input_ids"], answers, end], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        labels = inputs["input_ids"].clone()
        if loss == "assistant":
            labels[:, :prompt] = -100
        expected = stock(**inputs, labels=labels).loss
    assert ours.item() == pytest.approx(expected.item(), abs=1e-5)


def test_the_answer_loss_moves_nothing_but_the_adapter(name, base, cells):
    run = make_run(name, base, cells)
    trained = run.model.trained
    assert trained
    assert all("lora_" in weight and ".layers." in weight for weight in trained)
    assert not any("audio_tower" in weight or "visual" in weight for weight in trained)
    run.model(**run.collate([(clip, 0) for clip in run.clips["train"][:3]]))["loss"].backward()
    assert all(weight.grad is not None for weight in trained.values())


def test_the_tower_is_adapted_if_asked(name, base, cells):
    run = make_run(name, base, cells, tower=True, dropout=0.0)
    tower = {n: w for n, w in run.model.trained.items() if "audio_tower" in n}
    assert any("fc1" in weight for weight in tower)
    with torch.no_grad():
        for weight_name, weight in run.model.trained.items():
            if "lora_B" in weight_name:
                weight.normal_(0, 0.1)
    run.model(**run.collate([(clip, 0) for clip in run.clips["train"][:3]]))["loss"].backward()
    assert all(weight.grad.abs().sum() > 0 for n, weight in tower.items() if "lora_B" in n)


def test_half_precision(name, base, cells, monkeypatch):
    """What a GPU does: bfloat16 weights and computations, float32 adapters."""
    exact = make_run(name, base, cells, dropout=0.0)
    monkeypatch.setattr(
        module("finetuning.answer_model").AnswerModel,
        "precision",
        lambda self: torch.autocast("cpu", torch.bfloat16),
    )
    half = make_run(name, base, cells, dropout=0.0, dtype=torch.bfloat16)
    batch = half.collate([(clip, 0) for clip in half.clips["train"][:4]])
    assert {w.dtype for w in half.model.trained.values()} == {torch.float32}
    loss = half.model(**batch)["loss"]
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.model(**batch)["loss"].item(), rel=0.1)
    assert all(w.grad.dtype == torch.float32 for w in half.model.trained.values())
    assert half.model.log_odds(batch).isfinite().all()


def test_supervised_tokens(name, base, cells):
    supervised = make_run(name, base, cells).supervised_tokens()
    assert (supervised["supervised"], supervised["tokens"]) == (1, ["A"])
    assert make_run(name, base, cells, loss="assistant").supervised_tokens()["tokens"] == [
        "A",
        "<|im_end|>",
    ]
    whole = make_run(name, base, cells, loss="sequence").supervised_tokens()
    assert whole["supervised"] == whole["tokens_of_the_example"] - 1


def test_more_than_one_supervised_token_is_refused(qwen2, cells):
    run = make_run("qwen2_audio", qwen2, cells)
    run.collate.loss = "assistant"
    with pytest.raises(ValueError, match="supervises 2 tokens"):
        run.supervised_tokens()


# --- the adapter ----------------------------------------------------------------------------------


def test_stock_peft_loads_the_adapter_and_gives_the_same_log_odds(name, base, cells, tmp_path):
    out = tmp_path / "adapter"
    DETECTORS[name].finetune(cells.train, cells.dev, out, model=str(base), **QUICK)
    assert not (tmp_path / "adapter.unfinished").exists()
    stock = small.ARCHITECTURES[name][0].from_pretrained(base, dtype=torch.float32)
    stock = PeftModel.from_pretrained(stock, out).eval()
    detector = DETECTORS[name](model=str(base), adapter=str(out), device="cpu")
    plain = DETECTORS[name](model=str(base), device="cpu")
    clips = [clip for clip in clips_of(cells.dev) if len(clip) == 8000]
    recipe = small.STOCK[name](stock, base, detector.answers.ids)
    ours = detector.log_odds(clips, both=False)[0, 0]
    np.testing.assert_allclose(ours, recipe.log_odds(clips, small.BASELINE), atol=1e-4)
    assert np.abs(ours - plain.log_odds(clips, both=False)[0, 0]).max() > 0.01

    assert json.loads((out / "supervised_tokens.json").read_text())["supervised"] == 1
    curve = [e for e in json.loads((out / "curve.json").read_text()) if "eval_log_loss" in e]
    assert [entry["step"] for entry in curve] == [0, 2, 4, 6]
    # The checkpoint kept is the best one, by the two answers of the detector itself.
    z = detector.log_odds(clips_of(cells.dev), both=False)[0, 0]
    labels = np.concatenate([read_cell(cell)["label"] for cell in cells.dev])
    z, is_speech = z[labels != "CATCH"], labels[labels != "CATCH"] == "SPEECH"
    log_loss = np.logaddexp(0, np.where(is_speech, -z, z)).mean()
    assert log_loss == pytest.approx(min(e["eval_log_loss"] for e in curve[1:]), abs=1e-4)
    card = (out / "README.md").read_text()
    assert f"Base: `{base}`" in card
    assert "train: 24 clips (12 SPEECH, 12 NONSPEECH); 6 to 6 in each of 4 cells" in card


@pytest.mark.parametrize("checkpointing", [False, True])
def test_full_fine_tuning(qwen2, cells, tmp_path, checkpointing):
    out = tmp_path / "full"
    quick = QUICK | {"steps": 2, "full": True, "gradient_checkpointing": checkpointing}
    DETECTORS["qwen2_audio"].finetune(cells.train, cells.dev, out, model=str(qwen2), **quick)
    clips = clips_of(cells.dev)[:4]
    before = DETECTORS["qwen2_audio"](model=str(qwen2), device="cpu").score(clips)
    after = DETECTORS["qwen2_audio"](model=str(qwen2), adapter=str(out), device="cpu").score(clips)
    assert np.abs(after - before).max() > 1e-3


# --- killed and resumed ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(qwen2, cells, tmp_path_factory):
    """The adapter of a run that nobody kills, and its options."""
    options = QUICK | {"model": str(qwen2), "dropout": 0.1, "warmup_steps": 2, "patience": 2}
    folder = tmp_path_factory.mktemp("undisturbed") / "adapter"
    DETECTORS["qwen2_audio"].finetune(cells.train, cells.dev, folder, **options)
    return folder, options


@pytest.mark.parametrize(
    "when",
    [
        "while saving",
        *(pytest.param(when, marks=CAMPAIGN) for when in ("between checkpoints", "at the end")),
    ],
)
def test_a_killed_run_goes_on_to_the_same_adapter(undisturbed, cells, tmp_path, monkeypatch, when):
    finetune = DETECTORS["qwen2_audio"].finetune
    whole, options = undisturbed
    options = dict(options)
    killed_in = {
        "between checkpoints": (module("finetuning.trainer").AnswerTrainer, "training_step", 10),
        "while saving": (
            module("finetuning.trainer").AnswerTrainer,
            "_save_optimizer_and_scheduler",
            2,
        ),
        "at the end": (module("finetuning.finetune"), "_write", 1),
    }
    owner, function, call = killed_in[when]
    original, calls = getattr(owner, function), []

    def kill(*args, **kwargs):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    options["checkpoints"] = str(tmp_path / "cache")
    with monkeypatch.context() as patch:
        patch.setattr(owner, function, kill)
        with pytest.raises(KeyboardInterrupt):
            finetune(cells.train, cells.dev, tmp_path / "resumed", **options)
    assert not (tmp_path / "resumed").exists()
    torch.manual_seed(99)

    steps, step = [], module("finetuning.trainer").AnswerTrainer.training_step

    def counted(*args, **kwargs):
        steps.append(1)
        return step(*args, **kwargs)

    monkeypatch.setattr(module("finetuning.trainer").AnswerTrainer, "training_step", counted)
    finetune(cells.train, cells.dev, tmp_path / "resumed", **options)
    assert len(steps) == {"between checkpoints": 4, "while saving": 8, "at the end": 0}[when]
    ours, expected = (
        load_file(folder / "adapter_model.safetensors") for folder in (tmp_path / "resumed", whole)
    )
    assert ours.keys() == expected.keys()
    for weight in ours:
        torch.testing.assert_close(ours[weight], expected[weight], atol=1e-6, rtol=0)
    assert not list((tmp_path / "cache").iterdir())
    curves = [
        [e["eval_log_loss"] for e in json.loads((folder / "curve.json").read_text())
         if "eval_log_loss" in e]
        for folder in (tmp_path / "resumed", whole)
    ]  # fmt: skip
    np.testing.assert_allclose(*curves, atol=1e-6)


def test_other_settings_do_not_resume(qwen2, cells, tmp_path, monkeypatch):
    finetune = DETECTORS["qwen2_audio"].finetune
    options = QUICK | {"model": str(qwen2), "checkpoints": str(tmp_path / "cache"), "steps": 2}
    monkeypatch.setattr(
        module("finetuning.finetune"), "_write", lambda *_: exec("raise KeyboardInterrupt")
    )
    for seed in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            finetune(cells.train, cells.dev, tmp_path / "out", **options, seed=seed)
    assert len(list((tmp_path / "cache").iterdir())) == 2


# --- SpecAugment ----------------------------------------------------------------------------------


def test_spec_augment_masks_the_clip_s_own_frames_in_train_alone(qwen2, cells, tmp_path):
    settings = {"frequency_mask": 10, "time_mask": 0.3, "probability": 1.0}
    run = make_run("qwen2_audio", qwen2, cells, spec_augment=settings)
    trainer = run.trainer(tmp_path)
    masked = 0
    for place in range(24):
        clip, _ = trainer.train_dataset[place]
        original = next(
            c
            for c in run.clips["train"]
            if c.mel.shape == clip.mel.shape and ((c.mel == clip.mel) | (clip.mel == 0)).all()
        )
        changed = clip.mel != original.mel
        assert not changed[:, clip.frames :].any()
        assert changed.all(dim=1).sum() <= 10
        masked += bool(changed.any())
        again, _ = trainer.train_dataset[place]
        assert torch.equal(again.mel, clip.mel)
    assert masked > 20
    before = [clip.mel.clone() for clip in trainer.dev]
    trainer.evaluate()
    assert all(torch.equal(clip.mel, mel) for clip, mel in zip(trainer.dev, before, strict=True))
    assert [clip.mel.shape for clip in trainer.dev] == [mel.shape for mel in before]
    assert (
        make_run("qwen2_audio", qwen2, cells, spec_augment=None)
        .trainer(tmp_path)
        .train_dataset.augment
        is None
    )


# --- the data, and what is refused ----------------------------------------------------------------


def test_smaller_sets_begin_larger_ones(cells):
    reading = module("finetuning.trials")
    few, many = (reading.read_train(cells.train, n)["item_id"].tolist() for n in (8, 20))
    assert many[:8] == few
    assert reading.read_dev(cells.dev, 6)["label"].value_counts().tolist() == [3, 3]


def test_one_pass_draws_each_clip_once(qwen2, cells, tmp_path):
    draws = make_run("qwen2_audio", qwen2, cells, spec_augment=None).trainer(tmp_path).train_dataset
    first, second = ([id(draws[i][0].mel) for i in range(s, s + 24)] for s in (0, 24))
    assert len(set(first)) == len(set(second)) == 24
    assert first != second


def test_a_class_that_is_missing(qwen2, cells, tmp_path):
    only = write_cells(tmp_path / "only", 8, labels=("SPEECH",))
    finetune = DETECTORS["qwen2_audio"].finetune
    with pytest.raises(SpeechdtError, match=r"^train: no clip is NONSPEECH.*$"):
        finetune(only, cells.dev, tmp_path / "out", model=str(qwen2), **QUICK)
    with pytest.raises(SpeechdtError, match=r"^dev: no clip is NONSPEECH.*$"):
        finetune(cells.train, only, tmp_path / "out", model=str(qwen2), **QUICK)
    with pytest.raises(SpeechdtError, match=r"99 training clips .* there are 24"):
        finetune(cells.train, cells.dev, tmp_path / "out", model=str(qwen2), clips=99, **QUICK)
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_not_finite(qwen2, cells, tmp_path, monkeypatch):
    forward = module("finetuning.answer_model").AnswerModel.forward
    monkeypatch.setattr(
        module("finetuning.answer_model").AnswerModel, "forward",
        lambda *a, **k: {"loss": forward(*a, **k)["loss"] * float("nan")},
    )  # fmt: skip
    with pytest.raises(SpeechdtError, match="not finite by step 2") as refused:
        DETECTORS["qwen2_audio"].finetune(
            cells.train, cells.dev, tmp_path / "out", model=str(qwen2), **QUICK
        )
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def full_disk():
    """A limit on what a file may hold stands in for a full disk: writing fails half-way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))

    def freed():
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)

    yield freed
    freed()
    logging.captureWarnings(False)


def test_a_disk_that_takes_no_more(qwen2, cells, tmp_path, full_disk):
    out = tmp_path / "adapter"
    options = QUICK | {"model": str(qwen2), "checkpoints": str(tmp_path / "cache"), "steps": 2}
    finetune = DETECTORS["qwen2_audio"].finetune
    with pytest.raises(SystemExit, match=r"^error: .*File too large"), logged(tmp_path / "a.log"):
        finetune(cells.train, cells.dev, out, **options)
    assert not out.exists()
    full_disk()
    finetune(cells.train, cells.dev, out, **options)
    assert (out / "adapter_model.safetensors").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "all"}, "none of: answer"),
        ({"rank": 0}, "rank is 0"),
        ({"prompt": []}, "at least one"),
        ({"targets": ["no_proj"]}, "targets: no linear layer"),
    ],
)
def test_settings_that_cannot_be(qwen2, cells, tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        DETECTORS["qwen2_audio"].finetune(
            cells.train, cells.dev, tmp_path / "out", model=str(qwen2), **(QUICK | settings)
        )


def test_settings_are_checked_before_anything_is_loaded():
    check_options(DETECTORS["qwen2_audio"].FineTuning, {"model": "m", "rank": 8})
    with pytest.raises(ValueError, match="no option 'ranks'"):
        check_options(DETECTORS["qwen2_audio"].FineTuning, {"model": "m", "ranks": 8})
