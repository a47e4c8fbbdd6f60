"""PEFT adapter folders: their content, and its fit to a base, from the headers of files.

Neither torch nor any weight is read, so that this can be asked before any job starts. Layers have
had other names in other versions of transformers, and have others again on the hub; here each has
one (:func:`canonical`).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CONFIG, WEIGHTS, PICKLED = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins that git-lfs has yet to fetch."""
SHOWN = 3
"""Names in a message."""
NOT_LOADED = ("talker.", "code2wav.")
"""Parts of a whole Qwen3-Omni that nothing here runs."""
Shapes = Mapping[str, tuple[int, ...]]
_RENAMED = tuple(
    (re.compile(old), new)
    for old, new in (
        (r"^base_model\.model\.", ""),
        (r"^thinker\.", ""),  # Qwen3-Omni whole, of which the thinker is one part
        (r"^language_model\.lm_head\b", "lm_head"),
        (r"^(?:model\.)?language_model\.(?:model\.)*", "language_model."),
        (r"^model\.(?=(?:audio_tower|multi_modal_projector|visual)\b)", ""),
        (r"^model\.(?=(?:layers|embed_tokens|norm)\b)", "language_model."),
    )
)
"""What turns each version's names into one: 4 (``language_model.model.layers``, ``audio_tower``),
5 up to 5.17 (Qwen3-Omni: ``model.layers``), and later (``model.language_model.layers``)."""
_LORA = re.compile(r"^(.*)\.(lora_(?:embedding_)?[A-Z]|lora_magnitude_vector)\b(.*)$")


@dataclass(frozen=True)
class AdapterFiles:
    """A PEFT folder.

    Attributes
    ----------
    folder : Path
    config : dict
        Of adapter_config.json.
    shapes : mapping
        Shape of each weight, by the name in the file.
    """

    folder: Path
    config: Mapping[str, Any]
    shapes: Shapes


def canonical(name: str) -> str:
    """Return the one name of a layer or weight, whichever version of transformers gave it."""
    for old, new in _RENAMED:
        name = old.sub(new, name)
    return name


def spellings(name: str) -> list[str]:
    """Return what versions of transformers call the layer of a canonical name."""
    root, dot, rest = name.partition(".")
    stems = {
        "language_model": ["model.language_model", "language_model.model", "model"],
        "lm_head": ["lm_head", "language_model.lm_head"],
    }.get(root, [root, f"model.{root}"])
    own = [stem + dot + rest for stem in stems]
    return [*own, *(f"thinker.{spelling}" for spelling in own)]


def is_checkpoint(folder: str | Path) -> bool:
    """Say whether a folder is a model trained in full: what stands in for base and adapter."""
    folder = Path(folder)
    return (folder / "config.json").is_file() and not (folder / CONFIG).is_file()


def check_adapter(folder: str | Path, model: str | None, revision: str | None = None) -> None:
    """Raise a ValueError of one line if the files suffice to tell that an adapter does not fit.

    Parameters
    ----------
    folder : path
    model : str or None
        Hub id or folder of the base; None if it is yet to be made.
    revision : str or None
        Branch, tag or commit on the hub.
    """
    adapter = read_adapter(folder)
    check_base(adapter, model or "nano")
    base = None if model is None else base_shapes(model, revision)
    if model is not None and base is not None:
        check_fit(adapter, base, model)


def read_adapter(folder: str | Path) -> AdapterFiles:
    """Read what an adapter says of itself.

    Raises
    ------
    ValueError
        If the folder is no adapter, or holds no weights that can be read: one line.
    """
    folder, named = Path(folder), f"adapter '{folder}'"
    if not (folder / CONFIG).is_file():
        raise ValueError(f"{named} is no PEFT folder: it has no {CONFIG}")
    try:
        config = json.loads((folder / CONFIG).read_bytes())
        if not isinstance(config, dict):
            raise ValueError
    except ValueError:
        raise ValueError(f"{named}: {CONFIG} is no JSON of settings") from None
    if not (folder / WEIGHTS).is_file():
        pickled = f", only {PICKLED}: pickled weights are not read" * (folder / PICKLED).is_file()
        raise ValueError(f"{named} has no weights: there is no {WEIGHTS}{pickled}")
    try:
        shapes = header(folder / WEIGHTS)
    except ValueError as error:
        raise ValueError(f"{named}: {error}") from None
    if not shapes:
        raise ValueError(f"{named} has no weights: {WEIGHTS} is empty")
    return AdapterFiles(folder, config, shapes)


def header(file: Path) -> Shapes:
    """Return the shape of each weight of a safetensors file.

    Raises
    ------
    ValueError
        If it is none, or a git-lfs pointer to one: one line.
    """
    return _header(file, file.stat().st_mtime_ns)


@cache
def _header(file: Path, _changed: int) -> Shapes:
    from safetensors import SafetensorError, safe_open

    with file.open("rb") as opened:
        if opened.read(len(LFS_POINTER)) == LFS_POINTER:
            raise ValueError(
                f"{file.name} is a git-lfs pointer and holds no weights: run `git lfs pull` there"
            )
    try:
        with safe_open(file, framework="numpy") as opened:
            names = sorted(opened.keys())
            return {name: tuple(opened.get_slice(name).get_shape()) for name in names}
    except SafetensorError as error:
        raise ValueError(f"{file.name} is no whole safetensors file: {error}") from None


def lora_layer(name: str) -> str | None:
    """Return the layer, as an adapter's file names it, that a matrix A or B of LoRA belongs to."""
    match = _LORA.match(name)
    return match[1] if match and match[2] in ("lora_A", "lora_B") else None


def base_shapes(model: str, revision: str | None = None) -> Shapes | None:
    """Return the shapes of a checkpoint's weights by canonical name.

    Parameters
    ----------
    model : str
        Local folder, or hub id.
    revision : str or None
        Branch, tag or commit on the hub.

    Returns
    -------
    mapping or None
        None if its weights are not, or not all, on this machine.

    Raises
    ------
    ValueError
        If a file of weights cannot be read: one line.
    """
    files = weight_files(model, revision)
    try:
        headers = [header(file) for file in files if file is not None]
    except ValueError as error:
        raise ValueError(f"model '{model}': {error}") from None
    return by_canonical_name(headers) if None not in files else None


def weight_files(model: str, revision: str | None = None) -> list[Path | None]:
    """Return the files of a checkpoint's weights, None for each that is not on this machine."""
    index = _local(model, revision, "model.safetensors.index.json")
    if index is None:
        return [_local(model, revision, "model.safetensors")]
    shards = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    return [_local(model, revision, shard) for shard in shards]


def by_canonical_name(parts: Iterable[Shapes]) -> Shapes:
    """Return shapes by canonical name; a head that is tied to the embeddings has theirs."""
    shapes = {
        canonical(name): shape
        for part in parts
        for name, shape in part.items()
        if not name.startswith(NOT_LOADED)
    }
    if "language_model.embed_tokens.weight" in shapes:
        shapes.setdefault("lm_head.weight", shapes["language_model.embed_tokens.weight"])
    return shapes


def _local(model: str, revision: str | None, name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    if Path(model).is_dir():
        file = Path(model) / name
        return file if file.is_file() else None
    cached = try_to_load_from_cache(model, name, revision=revision)
    return Path(cached) if isinstance(cached, str) else None


def check_base(adapter: AdapterFiles, model: str) -> None:
    """Raise a ValueError of one line if an adapter says that it was made for another checkpoint.

    Hub ids are compared; of a folder one cannot tell where it came from.
    """
    made_for = str(adapter.config.get("base_model_name_or_path") or "")
    if made_for.count("/") != 1 or Path(made_for).is_dir() or Path(model).is_dir():
        return
    if made_for.rpartition("/")[2].lower() != model.rpartition("/")[2].lower():
        raise ValueError(
            f"adapter '{adapter.folder}' was made for '{made_for}', and the model is '{model}'; if "
            f"it fits all the same, say so in base_model_name_or_path of its {CONFIG}"
        )


def check_fit(adapter: AdapterFiles, base: Shapes, model: str) -> None:
    """Raise a ValueError of one line unless each weight of an adapter has its place in a base.

    Weights of experts are left to PEFT, which has to convert them first, and so is what is no LoRA.

    Parameters
    ----------
    adapter : AdapterFiles
    base : mapping
        Shapes of the base's weights, by canonical name.
    model : str
        What the base is called.
    """
    if adapter.config.get("peft_type") != "LORA":
        return
    unfit = _Unfit(adapter, base)
    for problem, names in (
        ("have no place in it", unfit.left_over()),
        ("have another shape than it", unfit.misshapen()),
        (f"are missing, by its {CONFIG}", unfit.missing()),
    ):
        if names:
            more = ", …" * (len(names) > SHOWN)
            raise ValueError(
                f"adapter '{adapter.folder}' does not fit model '{model}': {len(names)} weights "
                f"{problem}: {', '.join(names[:SHOWN])}{more}"
            )


class _Unfit:
    """Weights of a LoRA that do not fit a base, by the names in its file."""

    def __init__(self, adapter: AdapterFiles, base: Shapes):
        self.config, self.base = adapter.config, base
        self.parts = {
            name: (canonical(match[1]), match[2]) if match else (_whole(name), "")
            for name in adapter.shapes
            if ".experts." not in name and ".token_adapter." not in name
            for match in [_LORA.match(name)]
        }
        self.shapes = adapter.shapes

    def _weight(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of the base's weight that one of the adapter's belongs to."""
        layer, part = self.parts[name]
        return self.base.get(f"{layer}.weight" if part else layer)

    def left_over(self) -> list[str]:
        return [name for name in self.parts if self._weight(name) is None]

    def misshapen(self) -> list[str]:
        return [name for name in self.parts if not self._has_its_shape(name)]

    def _has_its_shape(self, name: str) -> bool:
        (_, part), shape, weight = self.parts[name], self.shapes[name], self._weight(name)
        if weight is None or name.endswith(".bias"):
            return True
        if not part:
            return shape == weight
        if len(weight) != 2 or len(shape) != 2:
            return True  # convolutions and magnitudes: PEFT looks at them
        out, into = weight
        expected: dict[str, tuple[int | None, int | None]] = {
            "lora_A": (None, into),
            "lora_B": (out, None),
            "lora_embedding_A": (None, out),
            "lora_embedding_B": (into, None),
        }
        wanted = expected[part]
        rank = shape[wanted.index(None)]
        pattern = self.config.get("rank_pattern") or {}
        at = 1 - wanted.index(None)
        return shape[at] == wanted[at] and rank in {self.config.get("r"), *pattern.values()}

    def missing(self) -> list[str]:
        there = set(self.parts.values())
        other = {"lora_A": "lora_B", "lora_B": "lora_A"}
        other |= {"lora_embedding_A": "lora_embedding_B", "lora_embedding_B": "lora_embedding_A"}
        halves = [
            f"{layer}.{other[part]}"
            for layer, part in self.parts.values()
            if part in other and (layer, other[part]) not in there
        ]
        adapted = {layer for layer, part in there if part}
        return halves + [layer for layer in self._declared() if layer not in adapted]

    def _declared(self) -> list[str]:
        """Return the layers that the configuration says are adapted, as far as it is plain."""
        special = ("layers_to_transform", "exclude_modules", "target_parameters")
        if any(self.config.get(key) for key in special):
            return []
        is_target = targeted(self.config.get("target_modules"))
        layers = [name.removesuffix(".weight") for name, shape in self.base.items() if shape[1:]]
        return [layer for layer in layers if ".experts." not in layer and is_target(layer)]


def targeted(targets: Any) -> Callable[[str], bool]:
    """Return what says whether PEFT's ``target_modules`` mean the layer of a canonical name."""
    if isinstance(targets, str):
        if targets == "all-linear":
            return lambda _: False
        pattern = re.compile(targets)
        return lambda layer: any(pattern.fullmatch(name) for name in spellings(layer))
    ends = [str(target) for target in targets or ()]
    return lambda layer: any(
        name == end or name.endswith(f".{end}") for name in spellings(layer) for end in ends
    )


def _whole(name: str) -> str:
    """Return the canonical name of a weight that an adapter has whole, without PEFT's wrapping."""
    return canonical(re.sub(r"\.(modules_to_save(\.default)?|base_layer)(?=\.)", "", name))
