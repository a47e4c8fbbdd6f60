"""Options of a variant, checked against the signature of its detector."""

import inspect
import typing
from collections.abc import Mapping
from typing import Any

from speechdt.detectors import contract
from speechdt.detectors.contract import PluginError


def check_options(cls: type[contract.Detector], options: Mapping[str, Any]) -> None:
    """Check a variant's options against the signature of its detector class.

    Parameters
    ----------
    cls : type
        Detector class.
    options : mapping
        Keyword arguments for it.

    Raises
    ------
    PluginError
        If an option is unknown, missing, or of another type than its annotation says.
    """
    accepted = {
        name: parameter
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    for name in options:
        if name not in accepted:
            names = ", ".join(accepted) or "none"
            raise PluginError(f"no option '{name}'; options: {names}")
    for name, parameter in accepted.items():
        if parameter.default is parameter.empty and name not in options:
            raise PluginError(f"option '{name}' is required")
    try:
        hints = typing.get_type_hints(cls.__init__)
    except NameError as error:  # a name that is there for type checkers alone
        raise PluginError(f"annotations cannot be read: {error}") from error
    for name, value in options.items():
        if name in hints and not _fits(value, hints[name]):
            raise PluginError(f"option '{name}' cannot be {value!r}; it is {_say(hints[name])}")


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin is typing.Literal:
        # True equals 1, and is another option.
        return any(value == literal and type(value) is type(literal) for literal in arguments)
    if origin in (typing.Union, type(int | None)):
        return any(_fits(value, argument) for argument in arguments)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (bool, str, type(None)):
        return isinstance(value, hint)
    # Other annotations (paths, sequences) are the detector's own business.
    return True


def _say(hint: Any) -> str:
    union = typing.get_origin(hint) in (typing.Union, type(int | None))
    kinds = typing.get_args(hint) if union else (hint,)
    literals = [kind for kind in kinds if typing.get_origin(kind) is typing.Literal]
    values = [repr(value) for kind in literals for value in typing.get_args(kind)]
    names = [_name(kind) for kind in kinds if kind not in literals]
    return "one of " + ", ".join(values + names) if values else " or ".join(names)


def _name(hint: Any) -> str:
    return "null" if hint is type(None) else getattr(hint, "__name__", str(hint))
