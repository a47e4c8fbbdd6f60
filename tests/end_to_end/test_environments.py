"""A detector with a conflicting numpy, through the workflow; and what goes wrong in environments.

A campaign: the environment is installed from a package index.
"""

import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from support.checkouts import FEW, copy_checkout, few_recordings, run
from support.environments import NUMPY, OLD, old_numpy, stand_in
from support.plugins import MINE

from speechdt.reporting.tables.reading import read_table

pytestmark = pytest.mark.campaign
KILLED = MINE.replace('"mine"', '"killed"').replace(
    "return [0.5]", "import os; os.kill(os.getpid(), 9); return [0.5]"
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return old_numpy(tmp_path_factory.mktemp("environment"))


def configured(folder, variants):
    config = FEW | {"variants": FEW["variants"] | variants}
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))


def isolated(backend, python, **more):
    own = {"python": str(python), **more}
    return {"backend": backend, "level": "stored", "environment": own}


@pytest.fixture(scope="module")
def ran(root, tmp_path_factory, environment):
    """A run of D1, D2 and a detector that has an older numpy than the workflow takes."""
    folder = copy_checkout(root, tmp_path_factory.mktemp("isolated"))
    few_recordings(root, folder / "few")
    (folder / "backends" / "old.py").write_text(OLD)
    configured(folder, {"X1": isolated("old", environment / "bin" / "python")})
    run(folder, "results/tables/matrix.csv", "results/tables/latency.csv", config="mine.yaml")
    return folder


def test_a_conflicting_numpy_has_its_row(ran):
    assert not np.__version__.startswith("1.")
    assert NUMPY.startswith("1.")
    matrix = read_table(ran / "results" / "tables" / "matrix.csv").set_index("variant")
    assert matrix.index.tolist() == ["D1", "D2", "X1"]
    assert np.isfinite(matrix.loc["X1", ["accuracy", "auc", "brier"]].astype(float)).all()
    files = (ran / "results" / "scores" / "X1" / "test").glob("snr*.parquet")
    scores = pd.concat([pd.read_parquet(file)["p_speech"] for file in files])
    assert np.allclose(scores, 0.11)  # 0.1 for each major version of its numpy, 0.01 for a sound
    latency = read_table(ran / "results" / "tables" / "latency.csv").set_index("variant")
    assert latency.loc["X1", "latency_p50_ms"] > 0


def test_a_killed_child_a_wrong_version_and_a_slow_start_are_a_line_each(root, ran, tmp_path):
    backends = ran / "backends"
    (backends / "killed.py").write_text(KILLED)
    (backends / "mine.py").write_text(MINE)
    packed = f"sys.path.insert(0, {str(root)!r})\nfrom speechdt.detectors.exchange import packed\n"
    wrong = stand_in(
        tmp_path / "wrong", f"{packed}sys.stdout.buffer.write(packed({{'protocol': 2}}))"
    )
    slow = stand_in(tmp_path / "slow", "import time; time.sleep(60)")
    configured(
        ran,
        {
            "X2": isolated("killed", sys.executable),
            "X3": isolated("mine", wrong),
            "X4": isolated("mine", slow, start_s=2),
        },
    )
    files = [f"results/scores/{name}/test/snr10_dur200.parquet" for name in ("X2", "X3", "X4")]
    printed = run(ran, "--keep-going", *files, config="mine.yaml", check=False)
    (line,) = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert line == printed.rstrip().splitlines()[-1]
    causes = line.removeprefix("error: ").split("; ")
    assert [cause.split(": ")[0] for cause in causes] == ["score X2", "score X3", "score X4"]
    for cause, why in zip(
        causes,
        ("was killed by signal 9", "speaks protocol 2, and not 1", "has not started in 2 s"),
        strict=True,
    ):
        assert why in cause
    assert "Traceback" not in printed
