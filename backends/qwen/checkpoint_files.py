"""Files of a checkpoint: whether all of it is there, whole and of a kind that is run here."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .adapter_files import LFS_POINTER, header

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


def check_files(folder: Path, *, hears: bool = True) -> None:
    """Raise a ValueError of one line, a file and what to do, unless a checkpoint is all there.

    Parameters
    ----------
    folder : Path
    hears : bool
        It takes audio, and so needs the settings of a feature extractor.
    """
    config = _json(folder / "config.json")
    quantized = _find(config, "quantization_config")
    if quantized is not None:
        method = quantized.get("quant_method", "?") if isinstance(quantized, Mapping) else "?"
        raise ValueError(
            f"its config.json has a quantization_config ({method}), and quantised weights are not "
            "loaded: take those that are not, or a server that runs these (backend 'served')"
        )
    _check_weights(folder)
    is_there = {name for name in _names(folder)}
    vocabulary = "tokenizer.json" in is_there or {"vocab.json", "merges.txt"} <= is_there
    if not vocabulary and "tokenizer.model" not in is_there:
        raise ValueError("it has no tokenizer: download tokenizer.json (vocab.json, merges.txt)")
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        _check_fetched(folder / name)
    if hears and not {"preprocessor_config.json", "processor_config.json"} & is_there:
        raise ValueError("it has no preprocessor_config.json: download it too")


def _check_weights(folder: Path) -> None:
    if (folder / INDEX).is_file():
        weights = _json(folder / INDEX).get("weight_map")
        if not isinstance(weights, dict):
            raise ValueError(f"{INDEX} names no weights: download it again")
        shards = sorted(set(weights.values()))
        missing = [shard for shard in shards if not (folder / shard).is_file()]
        if missing:
            raise ValueError(
                f"{len(missing)} of {len(shards)} shards are missing, such as {missing[0]}: "
                "download them"
            )
        there = {name for shard in shards for name in _header(folder / shard)}
        lost = sorted(weights.keys() - there)
        if lost:
            raise ValueError(
                f"{weights[lost[0]]} lacks {lost[0]}, which {INDEX} places there: download it again"
            )
    elif (folder / WEIGHTS).is_file():
        _header(folder / WEIGHTS)
    elif any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        raise ValueError(
            "it has pickled weights alone (.bin), which are not read: take a revision with "
            ".safetensors, or convert them"
        )
    else:
        raise ValueError(f"it has no weights: download {WEIGHTS}, or {INDEX} and its shards")


def _header(file: Path) -> Mapping[str, Any]:
    try:
        return header(file)
    except ValueError as error:
        remedy = "" if "git-lfs" in str(error) else ": download it again"
        raise ValueError(f"{error}{remedy}") from None


def _json(file: Path) -> dict[str, Any]:
    _check_fetched(file)
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"it has no {file.name}: download it") from None
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} is no JSON of settings: download it again")
    return content


def _check_fetched(file: Path) -> None:
    """Raise a ValueError if git-lfs has yet to fetch a file."""
    if file.is_file():
        with file.open("rb") as opened:
            if opened.read(len(LFS_POINTER)) == LFS_POINTER:
                raise ValueError(
                    f"{file.name} is a git-lfs pointer and holds nothing: run `git lfs pull` there"
                )


def _names(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.iterdir() if path.is_file())


def _find(settings: Any, key: str) -> Any:
    """Return the value of a key of settings at any level, None without."""
    if isinstance(settings, Mapping):
        if settings.get(key) is not None:
            return settings[key]
        settings = list(settings.values())
    if isinstance(settings, list):
        return next((value for one in settings if (value := _find(one, key)) is not None), None)
    return None
