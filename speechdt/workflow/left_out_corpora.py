"""Runs that leave one corpus out, in training and calibration.

Whatever the workflow learns from a corpus is learned again without it: the weights of a variant
from a train set of the same size, its checkpoint, decision threshold and calibration from the rest
of dev. A variant that is not trained here learns a threshold alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from speechdt.workflow.runs import Entries, is_ensemble
from speechdt.workflow.variants import ConfigError, hint

Runs = Mapping[str, Mapping[str, Mapping[str, Any]]]


class LeftOut(NamedTuple):
    """A run of a variant that knows nothing of one corpus.

    Attributes
    ----------
    name : str
        Its own.
    variant, corpus : str
    in_domain : str
        The run that differs from it in nothing else.
    entry : mapping or None
        What it is scored as; None if it has the scores of `in_domain`, since it trains nothing.
    """

    name: str
    variant: str
    corpus: str
    in_domain: str
    entry: Mapping[str, Any] | None


def without(name: str, corpus: str) -> str:
    """Return what a run, an adapter or a split is called where a corpus is left out."""
    return f"{name}-without-{corpus}"


def corpora_left_out(asked: Mapping[str, Any], corpora: Sequence[str]) -> list[str]:
    """Return the corpora that are left out, one after another; none if no variant is named.

    Parameters
    ----------
    asked : mapping
        ``leave_one_out`` of the configuration: ``variants``, and ``corpora`` if not all.
    corpora : sequence of str
        Name of each entry of ``corpus``.

    Raises
    ------
    ConfigError
        If there is one corpus only, or a name is none of theirs.
    """
    if not asked["variants"]:
        return []
    names = list(dict.fromkeys(corpora))
    if len(names) < 2:
        raise ConfigError("leave_one_out: there is one corpus only; leave its variants empty")
    for name in asked.get("corpora", ()):
        if name not in names:
            raise ConfigError(
                f"leave_one_out.corpora: no corpus '{name}'{hint(name, names)}; there are: "
                f"{', '.join(names)}"
            )
    return list(asked.get("corpora", names))


def left_out(
    asked: Sequence[str],
    corpora: Sequence[str],
    variants: Mapping[str, Mapping[str, Any] | None],
    runs: Runs,
    adapters: Entries,
    learned_from_all: Callable[[Mapping[str, Any]], str],
) -> list[LeftOut]:
    """Return every run that leaves a corpus out.

    Those of the variants that are asked for, whose adapters are trained here; and those of the
    variants that learned nothing here but a threshold. All others are left out of the comparison:
    they would know the corpus.

    Parameters
    ----------
    asked : sequence of str
        Variants to train again.
    corpora : sequence of str
        From :func:`corpora_left_out`.
    variants : mapping
        Of the configuration; those that it sets to null are passed over.
    runs : mapping
        From `matrix.runs`.
    adapters : mapping
        From `matrix.trainings`.
    learned_from_all : callable
        Says what a run has learned on all corpora, beside its adapter; '' if nothing.

    Raises
    ------
    ConfigError
        If a variant that is asked for does not exist, trains nothing, or has learned on all corpora
        in another way.
    """
    for variant in asked:
        _check(variant, variants, runs, adapters, learned_from_all)
    left_out = []
    for corpus in corpora:
        for variant, of_variant in runs.items():
            for run, entry in of_variant.items():
                trained = entry.get("adapter") in adapters
                name = without(run, corpus)
                if trained and variant in asked:
                    again = dict(entry) | {"adapter": without(str(entry["adapter"]), corpus)}
                    left_out.append(LeftOut(name, variant, corpus, run, again))
                elif not trained and not learned_from_all(entry):
                    left_out.append(LeftOut(name, variant, corpus, run, None))
    return left_out


def _check(
    variant: str,
    variants: Mapping[str, Mapping[str, Any] | None],
    runs: Runs,
    adapters: Entries,
    learned_from_all: Callable[[Mapping[str, Any]], str],
) -> None:
    if variant not in variants:
        raise ConfigError(
            f"leave_one_out.variants: no variant '{variant}'{hint(variant, variants)}"
        )
    entry = variants[variant]
    if entry is None:
        return
    if is_ensemble(entry) or any(
        run.get("adapter") not in adapters for run in runs[variant].values()
    ):
        raise ConfigError(f"leave_one_out.variants: '{variant}' names no adapter to train again")
    if why := learned_from_all(entry):
        raise ConfigError(
            f"leave_one_out.variants: '{variant}' was trained on all corpora, by {why}"
        )


def trained_without(runs: Sequence[LeftOut], adapters: Entries) -> dict[str, tuple[str, str]]:
    """Return the adapters to train again: by name, what each is a copy of, and without which."""
    return {
        without(name, run.corpus): (name, run.corpus)
        for run in runs
        for name in adapters
        if run.entry is not None and run.entry["adapter"] == without(name, run.corpus)
    }
