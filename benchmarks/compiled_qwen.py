"""torch.compile in place of our CUDA graphs, one clip at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from timing import Clips, milliseconds, seconds

from backends.qwen.detector import AnswerDetector


@contextmanager
def without_graphs(detector: AnswerDetector) -> Iterator[None]:
    graphs = detector.engine.graphs
    detector.engine.graphs = type(graphs)(enabled=False)
    yield
    detector.engine.graphs = graphs


def time_compiled(detector: AnswerDetector, clips: Clips) -> dict[str, float]:
    """Time torch.compile in place of our CUDA graphs, batch 1."""
    engine = detector.engine
    tower, ask = engine.tower.__call__, engine.decoder.answer_logits
    options = {"mode": "reduce-overhead", "fullgraph": False, "dynamic": False}
    compiled_tower, compiled_ask = torch.compile(tower, **options), torch.compile(ask, **options)

    class Compiled:
        tokens = staticmethod(engine.tower.tokens)

        def __call__(self, mel, frames):
            return compiled_tower(mel, frames).clone()

    plain, engine.tower = engine.tower, Compiled()
    engine.decoder.answer_logits = lambda *inputs: compiled_ask(*inputs).clone()
    try:
        with without_graphs(detector):
            warm_up = seconds(lambda: [detector.score(clips[:1]) for _ in range(5)])
            times = [seconds(partial(detector.score, [clip])) for clip in clips[:60]]
    finally:
        engine.tower = plain
        del engine.decoder.answer_logits
    return {"warm_up_s": warm_up, **milliseconds(times)}
