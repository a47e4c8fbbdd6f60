"""Check of a checkpoint before any job: its missing parts, and how to get them."""

import os
from functools import cache
from http import HTTPStatus
from pathlib import Path

from speechdt.http_client import ServerError, head

from .checkpoint_files import check_files

SIZES = {
    "Qwen/Qwen2-Audio-7B-Instruct": "about 17 GB",
    "Qwen/Qwen3-Omni-30B-A3B-Instruct": "about 70 GB",
}
"""What a download takes, for the checkpoints of the comparison matrix."""
TIMEOUT_S = 10
"""How long a hub may take to answer."""
REFUSALS = {
    401: "a login is needed, or there is no such model: run `hf auth login`",
    403: "access is refused: accept its terms on its page, and run `hf auth login`",
    404: "it has no such model or revision",
    429: "it is asked too often: try again later",
}
ASKED = "SPEECHDT_HUB_ASKED"
"""Variable of jobs: what started them has asked the hub, and nodes may have no network."""


def check_reachable(model: str, revision: str | None = None, *, hears: bool = True) -> None:
    """Raise a ValueError of one line if a checkpoint is neither here nor on a hub that answers.

    Parameters
    ----------
    model : str
        Local folder, or hub id.
    revision : str or None
        Branch, tag or commit on the hub.
    hears : bool
        It takes audio.
    """
    if Path(model).is_dir():
        if not (Path(model) / "config.json").is_file():
            raise ValueError(f"model folder {model} has no config.json")
        try:
            check_files(Path(model), hears=hears)
        except ValueError as error:
            raise ValueError(f"model folder {model}: {error}") from None
        return
    if Path(model).is_absolute() or model.startswith(("~", ".")) or model.count("/") != 1:
        raise ValueError(
            f"model '{model}' is no folder on this machine, and no hub id (owner/name)"
        )
    here = _why_not_here(model, revision, hears)
    hub = None if here is None else _why_not_given(model, revision)
    if hub is not None:
        size = f", {SIZES[model]}" if model in SIZES else ""
        at = f" --revision {revision}" if revision else ""
        raise ValueError(
            f"model '{model}' is not on this machine{here} and the hub does not give it ({hub}): "
            f"run `hf download {model}{at}`{size}, or put it into a folder and name that under "
            "`models`"
        )


def located(model: str, revision: str | None = None, *, hears: bool = True) -> str:
    """Return the folder in the hub's cache if all of a checkpoint is there, else the name itself.

    What is loaded from a folder asks no hub, which takes minutes where there is no network.
    """
    folder = None if Path(model).is_dir() else _snapshot(model, revision)
    if folder is None:
        return model
    try:
        check_files(folder, hears=hears)
    except ValueError:
        return model
    return str(folder)


def _snapshot(model: str, revision: str | None) -> Path | None:
    """Return the folder of a model's files in the hub's cache, None without."""
    # Light: neither torch nor transformers.
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(model, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(cached).parent if isinstance(cached, str) else None


def _why_not_here(model: str, revision: str | None, hears: bool) -> str | None:
    """Return None if all of a checkpoint is in the hub's cache, else the words that say what is."""
    folder = _snapshot(model, revision)
    if folder is None:
        return ""
    try:
        check_files(folder, hears=hears)
    except ValueError as error:
        return f", but for a part ({error}),"
    return None


@cache  # variants, searches, adapters and checks may all name one checkpoint
def _why_not_given(model: str, revision: str | None) -> str | None:
    """Return why a hub does not give a checkpoint, or None if it does."""
    from huggingface_hub import constants, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    if os.environ.get(ASKED):
        return None
    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    url = hf_hub_url(model, "config.json", revision=revision)
    try:
        status = head(url, build_hf_headers(), timeout_s=TIMEOUT_S)
    except ServerError as error:
        return str(error)
    if status == HTTPStatus.OK:
        return None
    why = REFUSALS.get(status, "try again later")
    return f"HTTP {status}: {why}"
