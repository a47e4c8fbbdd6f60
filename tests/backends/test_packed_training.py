"""Packed training batches: the loss and gradients of the plain model, and what falls back."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support import finetuning
from support import qwen_models as small
from support.trial_cells import write_cells

pytestmark = pytest.mark.usefixtures("one_thread")

DETECTOR = finetuning.DETECTORS["qwen2_audio"]
SETTINGS = finetuning.SETTINGS | {"dropout": 0.0}
PROMPTS = ["Speech?\nA) yes\nB) no", "Is this speech or is it not?\nA) it is\nB) it is not"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return small.save("qwen2_audio", tmp_path_factory.mktemp("qwen2") / "model")


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    return SimpleNamespace(
        train=write_cells(folder / "train", 24), dev=write_cells(folder / "dev", 12)
    )


def module(name):
    return finetuning.module(f"finetuning.{name}")


def make_run(base, cells, **settings):
    run = finetuning.make_run("qwen2_audio", base, cells, **(SETTINGS | settings))
    torch.manual_seed(3)
    for name, weight in run.model.trained.items():
        if "lora_B" in name:
            weight.data.normal_(0, 0.3)
    return run


@pytest.fixture
def on_a_gpu(monkeypatch):
    """Packed batches here too."""
    monkeypatch.setattr(module("steps"), "why_not", lambda *_: None)


def gradients(run, loss):
    for weight in run.model.trained.values():
        weight.grad = None
    loss().backward()
    return {name: weight.grad.clone() for name, weight in run.model.trained.items()}


@pytest.mark.parametrize("loss", ["answer", "assistant", "sequence"])
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("targets", [None, ["q_proj", "v_proj", "down_proj"]])
def test_loss_and_gradients_are_the_plain_model_s(base, cells, loss, share, targets):
    run = make_run(base, cells, loss=loss, prompt=PROMPTS, targets=targets)
    drawn = [(clip, i % 2) for i, clip in enumerate(run.clips["train"][:7])]
    assert len({clip.frames for clip, _ in drawn}) > 1
    plain = run.model(**run.collate(drawn))["loss"].item()
    wanted = gradients(run, lambda: run.model(**run.collate(drawn))["loss"])
    packed = module("packed_model").PackedModel(run.own, run.model)
    batch = module("packing").Packer(run.collate, share)(drawn)
    assert batch["shared"] == (
        len(run.collate.questions[0].before) if share and loss != "sequence" else 0
    )
    steps = module("steps").PackedSteps(packed)
    for weight in run.model.trained.values():
        weight.grad = None
    count = (batch["labels"] != -100).sum()
    assert steps(batch, count, last=True).item() == pytest.approx(plain, rel=1e-5)
    # Both round in float32, sums in other orders.
    close = {"atol": 1e-4 * max(g.abs().max().item() for g in wanted.values()), "rtol": 1e-3}
    for name, weight in run.model.trained.items():
        torch.testing.assert_close(weight.grad, wanted[name], **close)
    # Gradients add up until the Trainer lets go of them, and then begin anew.
    name, first = next(iter(run.model.trained.items()))
    steps(batch, count, last=True)
    torch.testing.assert_close(first.grad, 2 * wanted[name], **close)
    for weight in run.model.trained.values():
        weight.grad = None
    steps(batch, count, last=True)
    torch.testing.assert_close(first.grad, wanted[name], **close)


def test_log_odds_are_the_plain_model_s(base, cells):
    run = make_run(base, cells)
    run.model.eval()
    drawn = [(clip, 0) for clip in run.clips["dev"]]
    wanted = run.model.log_odds(run.collate_dev(drawn))
    packed = module("packed_model").PackedModel(run.own, run.model)
    batch = module("packing").Packer(run.collate_dev, True)(drawn)
    assert np.ptp(wanted.numpy()) > 0.1
    torch.testing.assert_close(packed.log_odds(batch), wanted, atol=1e-4, rtol=1e-4)


def test_batches_of_one_extent_have_few_shapes(base, cells):
    run = make_run(base, cells, dropout=0.1)
    packer = module("packing").Packer(run.collate, False)
    extent = packer.extent(run.clips["train"])
    rng = np.random.default_rng(0)
    shapes = set()
    for _ in range(20):
        chosen = rng.choice(len(run.clips["train"]), 8, replace=False)
        batch = packer([(run.clips["train"][i], 0) for i in chosen], extent)
        shapes.add(tuple(value.shape for value in batch.values() if torch.is_tensor(value)))
        rows = set(batch["laid"].flatten()[batch["own"][:, 0]].tolist())
        assert len(rows) == batch["own"].sum() <= len(batch["ids"])
    assert len(shapes) <= 2


def test_dropout_has_the_derivative_of_what_it_computes():
    torch.manual_seed(0)
    operations, rows = module("operations"), 40
    x = torch.randn(rows, 6, dtype=torch.float64, requires_grad=True)
    weight, down = (torch.randn(n, 6, dtype=torch.float64) for n in (9, 5))
    ups = [torch.randn(n, r, dtype=torch.float64) for n, r in ((4, 2), (5, 3))]
    slices = ((slice(0, 4), slice(0, 2), 2.0), (slice(4, 9), slice(2, 5), 0.5))
    parts = [
        operations.Adapter(outputs, ranks, up, torch.zeros_like(up), scale)
        for (outputs, ranks, scale), up in zip(slices, ups, strict=True)
    ]
    adapters = operations.Adapters(down, torch.zeros_like(down), parts, 0.5)
    seed, anchor = torch.get_rng_state(), torch.zeros((), requires_grad=True)
    y = operations.AdaptedProduct.apply(x, anchor, weight, None, adapters, True)
    towards = torch.randn_like(y)
    (dx,) = torch.autograd.grad(y, x, towards)
    torch.set_rng_state(seed)
    leaves = [t.clone().requires_grad_() for t in (x.detach(), down, *ups)]
    dropped, _ = torch.native_dropout(leaves[0], 0.5, True)
    inner = dropped @ leaves[1].T
    added = [s * inner[:, r] @ up.T for (_, r, s), up in zip(slices, leaves[2:], strict=True)]
    plain = leaves[0] @ weight.T + torch.cat(added, dim=1)
    torch.testing.assert_close(y, plain)
    wanted = torch.autograd.grad(plain, leaves, towards)
    computed = [dx, adapters.down_gradient, *(part.up_gradient for part in parts)]
    for one, other in zip(computed, wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_training_gives_the_same_curve_and_adapter(
    base, cells, tmp_path, monkeypatch, capsys, dropout
):
    settings = SETTINGS | {"model": str(base), "dropout": dropout, "learning_rate": 1e-3}
    DETECTOR.finetune(cells.train, cells.dev, tmp_path / "plain", **settings)
    monkeypatch.setattr(module("steps"), "why_not", lambda *_: None)
    capsys.readouterr()
    DETECTOR.finetune(cells.train, cells.dev, tmp_path / "packed", **settings)
    assert "evaluation took" in capsys.readouterr().out
    plain, packed = (
        json.loads((tmp_path / name / "curve.json").read_text()) for name in ("plain", "packed")
    )
    assert [list(entry) for entry in plain] == [list(entry) for entry in packed]
    if dropout:  # other masks
        return
    for name in ("loss", "eval_log_loss"):
        curves = [[entry[name] for entry in log if name in entry] for log in (plain, packed)]
        assert curves[0] == pytest.approx(curves[1], rel=1e-3, abs=1e-4)
    weights = [load_file(tmp_path / n / "adapter_model.safetensors") for n in ("plain", "packed")]
    assert list(weights[0]) == list(weights[1])
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, atol=1e-3, rtol=0.05)


@pytest.mark.usefixtures("on_a_gpu")
def test_a_killed_packed_run_goes_on_to_the_same_adapter(base, cells, tmp_path, monkeypatch):
    settings = SETTINGS | {"model": str(base), "dropout": 0.1}
    DETECTOR.finetune(cells.train, cells.dev, tmp_path / "whole", **settings)
    kept = {"checkpoints": str(tmp_path / "kept")}
    trainer, saved = module("trainer").AnswerTrainer, []
    save = trainer._save

    def killed(self, *args, **kwargs):
        save(self, *args, **kwargs)
        saved.append(self.state.global_step)
        if len(saved) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trainer, "_save", killed)
        with pytest.raises(KeyboardInterrupt):
            DETECTOR.finetune(cells.train, cells.dev, tmp_path / "again", **settings, **kept)
    DETECTOR.finetune(cells.train, cells.dev, tmp_path / "again", **settings, **kept)
    names = ("whole", "again")
    one, other = (load_file(tmp_path / n / "adapter_model.safetensors") for n in names)
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"tower": True}, "tower"), ({"full": True}, "full"), 
     ({"gradient_checkpointing": True}, "gradient_checkpointing")],
)  # fmt: skip
def test_what_falls_back_says_why(settings, reason):
    chosen = DETECTOR.FineTuning(model="x", **settings)
    assert reason in module("steps").why_not(chosen, torch.device("cuda"))


def test_other_weights_are_refused(base, cells):
    run = make_run(base, cells, targets=r".*layers\.\d+\.self_attn\.(q_proj|out_proj)")
    with pytest.raises(module("packed_model").NotPackedError, match="other weights than LoRA"):
        module("packed_model").PackedModel(run.own, run.model)
