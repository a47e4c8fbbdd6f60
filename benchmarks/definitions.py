"""Figures of a run by the definitions of the instrument's first version, beside those of today.

Reads the tables of a finished run, so that both are of the same trials and scores: the AUC of
clips as they are stored beside that at the level which dev chose; DT75 at a detector's own
decision threshold, with the false alarms that it was bought at, beside DT75 at 10 % false alarms;
the AUC over all pairs of trials beside that over pairs of one origin.

    python benchmarks/definitions.py --results results
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.reporting.tables.formatting import (
    Threshold,
    decimal,
    minus,
    model_notes,
    number,
    tested_ranges,
    text_table,
)
from speechdt.reporting.tables.markup import markdown
from speechdt.reporting.tables.reading import read_table


def table(matrix: pd.DataFrame, curves: pd.DataFrame) -> str:
    """Return the definitions side by side, in Markdown."""
    tested = tested_ranges(curves)["snr"]
    columns = {
        "AUC as stored": lambda row: number(stored_auc(row), 3),
        "AUC at its level": lambda row: decimal(row, "auc"),
        "level": lambda row: minus(row["level"]),
        "DT75 at own θ (dB)": lambda row: Threshold.of(row, "dt75", "_db").text(tested),
        "false alarms there (%)": lambda row: number(100 * row["dt75_false_alarms"]),
        "DT75 at 10 % false alarms (dB)": lambda row: Threshold.of(row, "dt75_roc10", "_db").text(
            tested
        ),
        "AUC within origins": lambda row: decimal(row, "auc_within"),
    }
    names = {"": lambda row: f"{row['variant']} {row['model']}".rstrip()}
    return markdown(text_table(matrix, names | columns), " ".join(model_notes(matrix)))


def stored_auc(row: pd.Series) -> float:
    """Return the AUC on clips as they are stored: the row's own, unless dev chose a level."""
    return float(row["auc"] if pd.isna(row["auc_stored"]) else row["auc_stored"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    tables = parser.parse_args().results / "tables"
    print(table(read_table(tables / "matrix.csv", ("level",)), read_table(tables / "curves.csv")))


if __name__ == "__main__":
    main()
