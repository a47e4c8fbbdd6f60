"""Training runs of the variants, and ensembles of variants.

A variant whose adapter is trained with several seeds has as many runs, each of which is scored and
calibrated by itself; tables and figures show their mean. An ensemble has no detector: its scores
come from those of its members.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from speechdt.detectors.plugins import find_detectors
from speechdt.workflow.variants import ConfigError, hint

OF_THE_PLAN = ("A1", "A2", "B1", "B2", "B3", "B4", "C1", "D1", "D2", "L1")
"""Variants of the default configuration: one that lacks was removed there, and is not misspelt."""

Entries = Mapping[str, Mapping[str, Any]]


def seeded_name(adapter: str, seed: int) -> str:
    """Return the name of an adapter that is trained with one of several seeds."""
    return f"{adapter}.seed{seed}"


def trainings(adapters: Entries) -> dict[str, dict[str, Any]]:
    """Return every adapter to train: those with `seeds` once for each of them.

    Parameters
    ----------
    adapters : mapping
        Adapters of the configuration, by name.

    Raises
    ------
    ConfigError
        If one has both ``seed`` and ``seeds``.
    """
    of_training: dict[str, dict[str, Any]] = {}
    for name, entry in adapters.items():
        if "seed" in entry and "seeds" in entry:
            raise ConfigError(f"adapters.{name}: name `seed` or `seeds`, not both")
        settings = {key: value for key, value in entry.items() if key != "seeds"}
        if "seeds" not in entry:
            of_training[name] = settings
        for seed in entry.get("seeds", ()):
            of_training[seeded_name(name, seed)] = settings | {"seed": seed}
    return of_training


def runs(variants: Entries, adapters: Entries) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what is scored for each variant: itself, or a run for each seed of its adapter.

    Parameters
    ----------
    variants, adapters : mapping
        Entries of the configuration, by name.

    Returns
    -------
    dict of str to dict
        By variant: the entry of each run, by its name. Ensembles are left out.

    Raises
    ------
    ConfigError
        If an adapter is not named by text.
    """
    runs_of = {}
    for variant, entry in variants.items():
        if is_ensemble(entry):
            continue
        adapter = entry.get("adapter")
        if adapter is not None and not isinstance(adapter, str):
            raise ConfigError(f"variants.{variant}: adapter {adapter!r} is no name of an adapter")
        seeds = adapters.get(adapter, {}).get("seeds", ()) if adapter else ()
        runs_of[variant] = {
            f"{variant}.seed{seed}": dict(entry) | {"adapter": seeded_name(str(adapter), seed)}
            for seed in seeds
        } or {variant: dict(entry)}
    return runs_of


def is_ensemble(entry: Mapping[str, Any]) -> bool:
    """Say whether a variant is one over the scores of others."""
    return "ensemble" in entry


def check_named(config: Mapping[str, Any]) -> None:
    """Check that the variants and backends that other sections name are there, or were.

    Parameters
    ----------
    config : mapping
        The configuration. A variant that is set to null is left out, but no mistake.

    Raises
    ------
    ConfigError
        Naming the section and the name.
    """
    for where, names in _named(config).items():
        for name in names:
            if name is not None and name not in config["variants"]:
                raise ConfigError(f"{where}: no variant '{name}'{hint(name, config['variants'])}")
    backends = find_detectors()
    for backend in config.get("models") or {}:
        if backend not in backends:
            raise ConfigError(f"models: no backend '{backend}'{hint(backend, backends)}")


def _named(config: Mapping[str, Any]) -> dict[str, list[str | None]]:
    """Return the variants that are named, by the key that does."""
    compared, judged = config.get("comparisons") or {}, config.get("verdict") or {}
    return {
        "comparisons.reference": [compared.get("reference")],
        "comparisons.planned": [name for pair in compared.get("planned") or [] for name in pair],
        "verdict.judged": judged.get("judged") or [],
        "verdict.baselines": judged.get("baselines") or [],
    }


def removed(config: Mapping[str, Any]) -> list[str]:
    """Return the variants of the plan that were removed, though other sections name them."""
    variants = config.get("variants") or {}
    try:
        named = {name for names in _named(config).values() for name in names}
    except (AttributeError, TypeError):  # no such sections as there should be, which others say
        return []
    return [name for name in OF_THE_PLAN if name in named and name not in variants]


def ensemble_weights(members: Sequence[Sequence[str]]) -> list[float]:
    """Return how much each run of each member counts: members alike, and the runs of one alike.

    Parameters
    ----------
    members : sequence of sequences of str
        Runs of each member.
    """
    return [1 / (len(members) * len(runs)) for runs in members for _ in runs]


def check_ensembles(variants: Entries) -> dict[str, list[str]]:
    """Return the members of each ensemble.

    Raises
    ------
    ConfigError
        If a member does not exist, or is an ensemble itself.
    """
    members = {}
    for variant, entry in variants.items():
        if not is_ensemble(entry):
            continue
        for member in entry["ensemble"]:
            if member == variant:
                raise ConfigError(f"variants.{variant}: an ensemble cannot be its own member")
            if member not in variants:
                raise ConfigError(
                    f"variants.{variant}: no variant '{member}'{hint(member, variants)} to be a "
                    "member"
                )
            if is_ensemble(variants[member]):
                raise ConfigError(f"variants.{variant}: member '{member}' is an ensemble itself")
        members[variant] = list(entry["ensemble"])
    return members


def adapted(
    runs: Mapping[str, Mapping[str, Mapping[str, Any]]],
    trainings: Mapping[str, tuple[Any, Mapping[str, Any]]],
    all_clips: int,
    named: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Return the variants whose language model is adapted by trainings of this workflow.

    Parameters
    ----------
    runs : mapping
        From :func:`runs`.
    trainings : mapping
        Detector class and settings of each training, by name.
    all_clips : int
        Training clips where the settings name no number.
    named : sequence of str
        Settings to return; ``rank`` is the one that only language models have.

    Returns
    -------
    dict of str to dict
        By variant: ``adapter`` (its name), ``runs`` (the trainings, one a seed) and the `named`.

    Raises
    ------
    ConfigError
        If an adapter is to learn from more clips than there are.
    """
    by_variant = {}
    for variant, of_variant in runs.items():
        trained = [entry.get("adapter") for entry in of_variant.values()]
        if not all(name in trainings for name in trained):
            continue
        cls, settings = trainings[str(trained[0])]
        chosen = cls.FineTuning(**settings)
        of_training = {name: getattr(chosen, name, None) for name in named}
        if of_training.get("rank") is None:  # no language model
            continue
        adapter = str(trained[0]).partition(".seed")[0]
        if (of_training.get("clips") or 0) > all_clips:
            raise ConfigError(
                f"adapters.{adapter}: clips is {of_training['clips']}, "
                f"and trials.train_clips {all_clips}"
            )
        by_variant[variant] = {"adapter": adapter, "runs": trained, **of_training}
        by_variant[variant]["clips"] = of_training.get("clips") or all_clips
    return by_variant
