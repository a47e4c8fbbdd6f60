"""Tables of levels: AUC against level, the alternatives on dev, and the gain of the choice."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from speechdt.arrays import Floats

NEAR = 0.01
"""Distance in AUC within which a level is as good as the best one."""
LEVEL_TEXT = ("level", "container", "chosen")
"""Columns of ``presentations.csv`` that are text, whatever they look like."""
PRESENTED = ("level", "container", "chosen", "auc_stored")
"""Columns of ``presentations.csv`` that the matrix has too."""
CHOICE = (
    *("variant", "level", "container", "chosen"),
    *("offered", "tried", "share", "auc_dev", "auc_dev_stored"),
)
GAINED = ("auc", "auc_stored", "gain", "gain_low", "gain_high")


def levels(probes: Mapping[str, pd.DataFrame], scored_at: Mapping[str, Any]) -> pd.DataFrame:
    """Return ``levels.csv``.

    Parameters
    ----------
    probes : mapping
        From `level_probe.probe`, by variant.
    scored_at : mapping
        Level at which each variant is scored.

    Returns
    -------
    DataFrame
        variant, the columns of a probe; heard, whether the variant is scored at this level; and
        near_best, whether its AUC lies within `NEAR` of its best.
    """
    parts = []
    for variant, probe in probes.items():
        near = probe["auc"] >= probe["auc"].max() - NEAR
        at = probe["level"].map(same_level) == same_level(scored_at[variant])
        parts.append(probe.assign(heard=at, near_best=near))
        parts[-1].insert(0, "variant", variant)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["variant"])


def numbers(levels: pd.Series) -> Floats:
    """Return levels in dBFS; as stored is NaN."""
    return pd.to_numeric(levels, errors="coerce").to_numpy(dtype=np.float64)


def same_level(level: Any) -> str:
    """Return a level as text, the same for -20, -20.0 and "-20"."""
    return str(level) if level == "stored" else f"{float(level):g}"


def choices(of_variant: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return ``choices.csv``: every alternative that dev chose among, and levels not offered.

    Parameters
    ----------
    of_variant : mapping
        Content of ``choices/{run}.json`` by variant.

    Returns
    -------
    DataFrame
        variant, level, container, options (text), auc_dev, share (of replicates of dev's groups
        that would have chosen it), offered, chosen, default, beyond_full_scale.
    """
    columns = ["variant", "level", "container", "options", "auc_dev", "share"]
    columns += ["offered", "chosen", "default", "beyond_full_scale"]
    rows = []
    for variant, choice in of_variant.items():
        for one in choice["tried"]:
            row = {
                "variant": variant,
                **_presented(one),
                "auc_dev": one["auc"],
                "share": one["share"],
            }
            kinds = {kind: _is(one, choice[kind]) for kind in ("chosen", "default")}
            rows.append(row | {"offered": True} | kinds)
        for one in choice["not_offered"]:
            rows.append(
                {"variant": variant, **one, "offered": False, "chosen": False, "default": False}
            )
    return pd.DataFrame(rows, columns=columns)


def presentations(
    configured: Mapping[str, Mapping[str, Any]],
    of_variant: Mapping[str, Mapping[str, Any]],
    gains: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Return ``presentations.csv``: how each variant hears, and what the choice is worth on test.

    Parameters
    ----------
    configured : mapping
        level and container of each variant, where dev does not choose.
    of_variant : mapping
        Content of ``choices/{run}.json``, of those for which it does.
    gains : mapping
        From `choice.gain`, of the same.

    Returns
    -------
    DataFrame
        `CHOICE`: chosen are options, as text; offered is the number of alternatives, tried that of
        those which dev heard, share that of the replicates of dev's groups that would have chosen
        this one too; then `GAINED`, on test
        (auc_stored: what comes without a choice: clips as stored, the detector's own defaults).
    """
    rows = []
    for variant, plain in configured.items():
        row: dict[str, Any] = {"variant": variant, **_presented(dict(plain) | {"options": {}})}
        if variant in of_variant:
            choice = of_variant[variant]
            chosen = next(one for one in choice["tried"] if _is(one, choice["chosen"]))
            row = {"variant": variant, **_presented(chosen)}
            row |= {"offered": choice["offered"], "tried": len(choice["tried"])}
            row |= {"share": chosen["share"], "auc_dev": chosen["auc"], **gains[variant]}
            row["auc_dev_stored"] = choice["default"]["auc"] if choice["default"] else np.nan
        rows.append({("chosen" if name == "options" else name): v for name, v in row.items()})
    return pd.DataFrame(rows, columns=[*CHOICE, *GAINED]).astype(
        dict.fromkeys(("offered", "tried"), "Int64")
    )


def with_presentations(matrix: pd.DataFrame, presented: pd.DataFrame) -> pd.DataFrame:
    """Return the matrix with the columns `PRESENTED`.

    A variant that hears clips as they are stored, and by no choice, has its own AUC as auc_stored.
    """
    own = presented.set_index("variant").reindex(matrix["variant"])[list(PRESENTED)]
    own = own.reset_index(drop=True)
    plain = (own["level"] == "stored") & (own["container"] == "none") & own["auc_stored"].isna()
    own.loc[plain, "auc_stored"] = matrix["auc"].to_numpy()[plain]
    return pd.concat([matrix.reset_index(drop=True), own], axis=1)


def _presented(one: Mapping[str, Any]) -> dict[str, str]:
    container = one["container"]
    if isinstance(container, Mapping):
        container = f"noise {container['noise_ms']} ms"
    options = ", ".join(f"{name} {value}" for name, value in one["options"].items())
    return {"level": same_level(one["level"]), "container": container, "options": options}


def _is(one: Mapping[str, Any], other: Mapping[str, Any] | None) -> bool:
    names = ("level", "container", "options")
    return other is not None and all(one[name] == other[name] for name in names)
