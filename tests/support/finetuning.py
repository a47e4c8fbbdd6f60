"""Runs of fine-tuning that are set up and not started, on small random models."""

import importlib

import torch

from speechdt import find_detectors

DETECTORS = find_detectors()
SETTINGS = {
    "rank": 4,
    "steps": 6,
    "batch_size": 4,
    "gradient_accumulation": 2,
    "learning_rate": 1e-2,
    "eval_steps": 2,
    "device": "cpu",
}


def module(name):
    """Return a module of the language models' package by its name below it."""
    package = DETECTORS["qwen2_audio"].__module__.rpartition(".")[0]
    return importlib.import_module(f"{package}.{name}")


def make_run(name, base, cells, dtype=torch.float32, **settings):
    """Return what trains a detector's model, saved at `base`, on the cells of train and dev."""
    cls = DETECTORS[name]
    training, reading = module("finetuning.finetune"), module("finetuning.trials")
    chosen = cls.FineTuning(model=str(base), **(SETTINGS | settings))
    own = cls._architecture()
    lm = module("loading").load_model(own.MODEL_CLASS, str(base), None, torch.device("cpu"))
    trials = {"train": reading.read_train(cells.train, chosen.clips),
              "dev": reading.read_dev(cells.dev, chosen.dev_clips)}  # fmt: skip
    return training.Run(own, lm.to(dtype), chosen, trials)
