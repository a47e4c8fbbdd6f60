"""Give-away classifiers in conditions: whether a room or channel tells the class by itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from speechdt.detectors.contract import FineTunable
from speechdt.detectors.giveaways import scored
from speechdt.statistics.metrics import auc_interval
from speechdt.trials.conditions import Condition


def condition_giveaways(
    cls: type[FineTunable],
    settings: Mapping[str, Mapping[str, object]],
    cells: Mapping[str, Sequence[Path]],
    trials: Mapping[Condition, Path],
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Train each classifier on train, and judge it in each condition.

    Parameters
    ----------
    cls : type
        A detector that can be trained, built with ``adapter``.
    settings : mapping
        Settings of each classifier's training, by its name.
    cells : mapping
        Cell files of train and dev.
    trials : mapping of Condition to path
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        features (the classifier's name), condition, axis, at, n, auc, auc_low, auc_high.
    """
    rows = []
    for name, own in settings.items():
        with TemporaryDirectory() as folder:
            out = Path(folder) / "trained"
            cls.finetune(cells["train"], cells["dev"], out, **own)
            detector = cls(adapter=str(out))  # type: ignore[call-arg]
            for condition, file in trials.items():
                heard = scored(detector, [file])
                auc, low, high = auc_interval(heard, replicates=replicates, seed=seed)
                row: dict[str, object] = {
                    "features": name,
                    "condition": condition.key,
                    "axis": condition.axis,
                }
                row |= {"at": condition.name, "n": len(heard)}
                rows.append(row | {"auc": auc, "auc_low": low, "auc_high": high})
    return pd.DataFrame(rows)
