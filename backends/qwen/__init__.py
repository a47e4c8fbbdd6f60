"""Language models that hear, as detectors: Qwen2-Audio (A1 to B4) and Qwen3-Omni (C1).

``detector.py`` is what the workflow sees; ``question.py`` has the prompt in tokens; ``mel.py``,
``qwen2_audio.py``/``qwen3_omni.py`` (the audio tower of each, and what else is its own) and
``decoder.py`` are the way from samples to two logits; ``engine.py`` makes the batches,
``question_tree.py`` lets questions share what they begin alike, and ``graphs.py`` makes one clip at
a time fast; ``loading.py`` loads checkpoints, ``weights_ahead.py`` reads their weights while that
is prepared, and ``quantization.py`` makes them smaller. ``in_turn.py`` and ``adapters_in_turn.py``
let prompts and adapters take turns on one that is loaded. ``reachable.py`` looks for a checkpoint
before a job does, ``checkpoint_files.py`` says whether all of it is there, ``adapter_files.py``
whether an adapter fits, ``gpu.py`` whether a GPU is there and ``room.py`` whether it has room for
copies. ``kept_audio.py`` and ``text_writer.py`` are for prompt searches. ``finetuning/`` trains
LoRA adapters, ``nano/`` makes toys of the same architectures. Nothing of this is imported before a
detector is built.
"""

from speechdt import hookimpl

from .detector import Qwen2Audio, Qwen3Omni


@hookimpl
def detectors():
    """Offer the detectors ``qwen2_audio`` and ``qwen3_omni``."""
    return {"qwen2_audio": Qwen2Audio, "qwen3_omni": Qwen3Omni}
