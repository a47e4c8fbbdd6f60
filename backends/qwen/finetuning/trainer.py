"""transformers' Trainer with evaluation by log-odds, saving the trained weights alone."""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.utils.data import SequentialSampler
from tqdm import tqdm
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME

from speechdt.errors import SpeechdtError
from speechdt.progress import interval

from .answer_model import AnswerModel
from .checkpoints import WEIGHTS, CheckpointWriter, weights
from .collate import Collator
from .evaluation import KeptBatches, dev_metrics, evaluation_share
from .examples import Draws, Example
from .packed_model import PackedModel
from .packing import Packer
from .processes import Processes
from .settings import FineTuning
from .steps import PackedSteps

LOG_STEPS = 10
ALONE = Processes()
SPEED = "clips_per_s"
"""Key of the throughput in the log of a training."""


class AnswerTrainer(Trainer):
    """Trains an :class:`AnswerModel`; the best checkpoint is that of the least log-loss on dev.

    Parameters
    ----------
    model : AnswerModel
    train : Draws
        In the order of training.
    dev : sequence of Example
    collate, collate_dev : Collator
        That of dev supervises the answer.
    settings : FineTuning
    steps : int
    folder : Path
        Where checkpoints go.
    resumed : bool
        The run goes on from a checkpoint; otherwise the base is evaluated first.
    processes : Processes
        That train together.
    packed : PackedModel or None
        `model` for packed batches, which are faster; None trains `model` as it is.
    """

    def __init__(
        self,
        model: AnswerModel,
        train: Draws,
        dev: Sequence[Example],
        collate: Collator,
        collate_dev: Collator,
        settings: FineTuning,
        steps: int,
        folder: Path,
        resumed: bool = False,
        processes: Processes = ALONE,
        packed: PackedModel | None = None,
    ):
        on_gpu = model.device.type == "cuda"
        arguments = _arguments(settings, steps, folder, resumed, processes, on_gpu)
        self.dev, self.collate_dev, self.processes = dev, collate_dev, processes
        self.packed, self.steps = packed, None
        if packed is not None:
            self.steps = PackedSteps(packed)
            collate, pack = _packers(collate, collate_dev, train, settings)
            self.collate_dev = KeptBatches(pack, packed.device)
        self.progress = Progress(settings.step_clips)
        self.writer = CheckpointWriter(copies=not settings.full)
        super().__init__(
            model=model,
            args=arguments,
            data_collator=collate,
            train_dataset=train,
            eval_dataset=dev,
            callbacks=[self.writer, self.progress],
        )
        self.remove_callback(PrinterCallback)
        if settings.patience is not None:
            self.add_callback(EarlyStopping(settings.patience))

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Train; the line that shows progress ends even if training fails."""
        began = time.perf_counter()
        before = len(self.state.log_history)
        try:
            result = super().train(*args, **kwargs)
        finally:
            self.progress.close()
            self.writer.wait()
        if self.is_world_process_zero():
            seconds = time.perf_counter() - began
            print(evaluation_share(self.state.log_history[before:], seconds), flush=True)
        return result

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Return the loss of a batch, its gradients added to those of the step."""
        if self.steps is None:
            return super().training_step(model, inputs, num_items_in_batch)
        batch = self._prepare_inputs(inputs)
        return self.steps(batch, num_items_in_batch, last=self.accelerator.sync_gradients)

    def evaluate(self, *_args: Any, **_kwargs: Any) -> dict[str, float]:
        """Return log-loss and balanced accuracy of the two answers on dev, and log them."""
        answering = self.model.eval() if self.packed is None else self.packed
        metrics = dev_metrics(answering, self.dev, self.collate_dev, self.processes)
        self.model.train()
        if not math.isfinite(metrics["eval_log_loss"]):
            raise SpeechdtError(_not_finite(self.state.global_step))
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log, and stop where a loss is no number."""
        if not math.isfinite(logs.get("loss", 0.0)):
            raise SpeechdtError(_not_finite(self.state.global_step))
        super().log(logs, *args, **kwargs)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        trained = {name: w.detach().contiguous() for name, w in self.model.trained.items()}
        self.writer.save(save_file, trained, folder / WEIGHTS)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        # As the Trainer does for what trains on a GPU of its own, but for who writes.
        if self.args.should_save:
            self.writer.save(
                torch.save, self.optimizer.state_dict(), Path(output_dir) / OPTIMIZER_NAME
            )
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER_NAME)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        saved = weights(Path(resume_from_checkpoint))
        with torch.no_grad():
            for name, weight in self.model.trained.items():
                weight.copy_(saved[name])

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        # One that is being marked may be the next to be thrown out.
        self.writer.wait()
        super()._save_checkpoint(*args, **kwargs)

    def _load_best_model(self) -> None:
        self.writer.wait()
        self._load_from_checkpoint(self.state.best_model_checkpoint)


def _arguments(
    settings: FineTuning,
    steps: int,
    folder: Path,
    resumed: bool,
    processes: Processes,
    on_gpu: bool,
) -> TrainingArguments:
    """Return the Trainer's own settings."""
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=settings.batch_size // processes.count,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup_steps,
        lr_scheduler_type="cosine",
        weight_decay=0.0,
        seed=settings.seed,
        eval_strategy="steps",
        save_strategy="steps",
        eval_steps=settings.eval_steps,
        eval_on_start=not resumed,
        save_steps=settings.eval_steps,
        # The best and the last; the first of these may be long ago.
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="log_loss",
        greater_is_better=False,
        logging_steps=math.gcd(LOG_STEPS, settings.eval_steps),
        logging_nan_inf_filter=False,
        use_cpu=not on_gpu,
        ddp_backend="gloo" if processes.count > 1 and not on_gpu else None,
        # Every weight of LoRA takes part in every step; of experts, only those that are asked.
        ddp_find_unused_parameters=settings.full,
        # A step's loss is divided by what all processes supervise; packed steps count on it.
        average_tokens_across_devices=True,
        dataloader_pin_memory=on_gpu,
        # The next batch is made while the device computes this one.
        accelerator_config={"non_blocking": on_gpu},
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
    )
    # One process trains on one GPU; without this, all GPUs of the machine would be taken.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _packers(
    collate: Collator, collate_dev: Collator, train: Draws, settings: FineTuning
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return what lays out batches to train on, all of one extent, and batches of dev.

    The shared text's activations are one for all clips where nothing drops out, as on dev.
    """
    packer = Packer(collate, share=settings.dropout == 0)
    return partial(packer, extent=packer.extent(train.clips)), Packer(collate_dev, share=True)


def _not_finite(step: int) -> str:
    return f"the loss is not finite by step {step}: lower learning_rate, or look at the clips"


class EarlyStopping(TrainerCallback):
    """Ends training after so many evaluations without a better one.

    It reads the log, so that a resumed run counts as an undisturbed one.
    """

    def __init__(self, patience: int):
        self.patience = patience

    def on_train_begin(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        """Stop a run at once that had stopped when it was killed."""
        control.should_training_stop = self._is_over(state)

    def on_evaluate(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        """Stop if it has been long enough."""
        if self._is_over(state):
            control.should_training_stop = True

    def _is_over(self, state: Any) -> bool:
        losses = [entry["eval_log_loss"] for entry in dev_curve(state.log_history)]
        return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= self.patience


class Progress(TrainerCallback):
    """Shows steps, time left, loss, log-loss on dev and clips/s; logs the last of these."""

    def __init__(self, step_clips: int):
        self.step_clips = step_clips
        self._seen = (0, time.perf_counter())
        self._bar: tqdm | None = None
        self._shown: dict[str, str] = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        """Start the clock."""
        self._seen = (state.global_step, time.perf_counter())
        self._bar = tqdm(
            mininterval=interval(),
            total=state.max_steps,
            initial=state.global_step,
            desc="training",
            unit="step",
            disable=not state.is_world_process_zero,
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        """Move on."""
        if self._bar is not None:
            self._bar.update(state.global_step - self._bar.n)

    def close(self) -> None:
        """End the line."""
        if self._bar is not None:
            self._bar.close()

    def on_evaluate(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        """Leave the evaluation out of the clock."""
        self._show(dev_log_loss=f"{dev_curve(state.log_history)[-1]['eval_log_loss']:.3f}")
        self._seen = (state.global_step, time.perf_counter())

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float], **_kwargs: Any
    ) -> None:
        """Add the throughput since the last log."""
        now, (step, then) = time.perf_counter(), self._seen
        if "loss" in logs and state.global_step > step:
            rate = (state.global_step - step) * self.step_clips / (now - then)
            logs[SPEED] = state.log_history[-1][SPEED] = round(rate, 1)
            self._seen = (state.global_step, now)
            self._show(loss=f"{logs['loss']:.3f}", clips_per_s=f"{rate:.0f}")

    def _show(self, **figures: str) -> None:
        self._shown |= figures
        if self._bar is not None:
            self._bar.set_postfix(self._shown, refresh=False)


def dev_curve(log: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Return the evaluations of a log: step, eval_log_loss, eval_balanced_accuracy."""
    return [entry for entry in log if "eval_log_loss" in entry]
