"""Settings of a prompt search, with defaults."""

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import Any

from speechdt.prompts.proposers.chat_server import ChatServer

OBJECTIVES = ("log_loss", "auc", "balanced_accuracy")
"""Names of `objectives.OBJECTIVES`, whose module is too heavy for every parse."""
PROPOSERS = {
    "template": (),
    "self": ("temperature", "most_tokens"),
    "local": ("model", "temperature", "most_tokens"),
    "openai": (
        *("base_url", "model", "key_variable", "temperature", "most_tokens", "timeout_s"),
        "plain_http",
    ),
}
"""Options of each kind of proposer."""
LEAST: dict[str, float] = {"temperature": 0.0, "most_tokens": 1, "timeout_s": 0.001}
"""Least value of each option of a proposer that is a number."""
OPTIMIZERS = ("opro", "gepa")
FROM_ENVIRONMENT = {"base_url": "OPENAI_BASE_URL", "model": "OPENAI_MODEL"}
"""Where a server and its model are named if the configuration does not."""


@dataclass(frozen=True)
class Budget:
    """Size of a search; GEPA asks as many questions as the random search of this size.

    Attributes
    ----------
    steps : int
        Times that the proposer is told what was tried.
    candidates : int
        New prompts a step.
    start : int
        Prompts of the bank, the best ones, that the search starts from.
    attempts : int
        Times that a step may ask the proposer until it has its candidates.
    """

    steps: int = 6
    candidates: int = 8
    start: int = 3
    attempts: int = 4


@dataclass(frozen=True)
class SearchSettings:
    """Settings of a search.

    Attributes
    ----------
    objective : str
        One of `OBJECTIVES`.
    optimizer : {'opro', 'gepa'}
        How candidates come of those before them; ``gepa`` needs the package of that name.
    proposer : str or mapping
        One of `PROPOSERS`, or a mapping with its name under ``kind`` and its options.
    steps, candidates, start : int
        See :class:`Budget`.
    replicates : int
        Of the bootstrap that a bound is taken from.
    audio_gib : float
        Memory for encoded audio, which is kept over the whole search.

    Raises
    ------
    ValueError
        If a setting cannot be: the message is one line naming it.
    """

    objective: str = "log_loss"
    optimizer: str = "opro"
    proposer: str | Mapping[str, Any] = field(default="template")
    steps: int = Budget.steps
    candidates: int = Budget.candidates
    start: int = Budget.start
    replicates: int = 1000
    audio_gib: float = 4.0

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            names = ", ".join(OBJECTIVES)
            raise ValueError(f"objective '{self.objective}' is none of: {names}")
        if self.optimizer not in OPTIMIZERS:
            names = ", ".join(OPTIMIZERS)
            raise ValueError(f"optimizer '{self.optimizer}' is none of: {names}")
        if self.optimizer == "gepa" and find_spec("gepa") is None:
            raise ValueError("optimizer 'gepa' needs a package: pip install 'speechdt[gepa]'")
        if self.kind not in PROPOSERS:
            raise ValueError(f"proposer '{self.kind}' is none of: {', '.join(PROPOSERS)}")
        for name, value in self.proposer_options.items():
            if name not in PROPOSERS[self.kind]:
                names = ", ".join(PROPOSERS[self.kind]) or "none"
                raise ValueError(f"proposer '{self.kind}' has no option '{name}'; options: {names}")
            _check_option(name, value)
        if self.kind == "local" and "model" not in self.proposer_options:
            raise ValueError("proposer 'local' needs a model: a folder or a hub id")
        if self.kind == "openai":
            self.server()

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, which make these again."""
        return asdict(self)

    @property
    def kind(self) -> str:
        """Kind of proposer."""
        return self.proposer if isinstance(self.proposer, str) else str(self.proposer.get("kind"))

    @property
    def proposer_options(self) -> dict[str, Any]:
        """Settings of the proposer but for its kind."""
        if isinstance(self.proposer, str):
            return {}
        return {name: value for name, value in self.proposer.items() if name != "kind"}

    @property
    def budget(self) -> Budget:
        """Size of the search."""
        return Budget(steps=self.steps, candidates=self.candidates, start=self.start)

    def server(self) -> ChatServer:
        """Return the server of proposer `openai`."""
        options = self.proposer_options
        for name, variable in FROM_ENVIRONMENT.items():
            if name not in options:
                if not os.getenv(variable):
                    raise ValueError(f"proposer 'openai' needs {name}, here or in {variable}")
                options[name] = os.environ[variable]
        return ChatServer(**options)


def _check_option(name: str, value: Any) -> None:
    kind: Any = {"most_tokens": int, "plain_http": bool}.get(
        name, int | float if name in LEAST else str
    )
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"proposer: option '{name}' cannot be {value!r}")
    if name in LEAST and not LEAST[name] <= value < math.inf:
        raise ValueError(f"proposer: {name} is {value}, and must be at least {LEAST[name]:g}")
