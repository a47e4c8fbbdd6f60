"""Check of a checkpoint before any job: which file is missing, and how to get it."""

from functools import cache
from pathlib import Path

from speechdt.http_client import ServerError, head

SIZES = {
    "Qwen/Qwen2-Audio-7B-Instruct": "about 17 GB",
    "Qwen/Qwen3-Omni-30B-A3B-Instruct": "about 70 GB",
}
"""What a download takes, for the checkpoints of the comparison matrix."""
TIMEOUT_S = 2
"""How long a hub may take to answer."""
FOUND = 200


def check_reachable(model: str, revision: str | None = None) -> None:
    """Raise a ValueError of one line if a checkpoint is neither here nor on a hub that answers.

    Parameters
    ----------
    model : str
        Local folder, or hub id.
    revision : str or None
        Branch, tag or commit on the hub.
    """
    if Path(model).is_dir():
        if not (Path(model) / "config.json").is_file():
            raise ValueError(f"model folder {model} has no config.json")
        return
    if Path(model).is_absolute() or model.count("/") != 1:
        raise ValueError(
            f"model '{model}' is no folder on this machine, and no hub id (owner/name)"
        )
    if not _answers(model, revision):
        size = f", {SIZES[model]}" if model in SIZES else ""
        at = f" --revision {revision}" if revision else ""
        raise ValueError(
            f"model '{model}' is not on this machine and the hub does not give it: run "
            f"`hf download {model}{at}`{size}, or put it into a folder and name that under `models`"
        )


@cache  # variants, searches, adapters and checks may all name one checkpoint
def _answers(model: str, revision: str | None) -> bool:
    """Say whether the checkpoint's configuration is cached, or a hub has it."""
    # Light: neither torch nor transformers.
    from huggingface_hub import constants, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.utils import build_hf_headers

    if isinstance(try_to_load_from_cache(model, "config.json", revision=revision), str):
        return True
    if constants.HF_HUB_OFFLINE:
        return False
    url = hf_hub_url(model, "config.json", revision=revision)
    try:
        return head(url, build_hf_headers(), timeout_s=TIMEOUT_S) == FOUND
    except ServerError:
        return False
