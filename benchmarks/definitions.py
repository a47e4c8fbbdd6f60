"""What the definitions of the instrument's first version say of a run, beside those of today.

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

from speechdt.reporting.tables.reading import read_table


def number(row: pd.Series, name: str, digits: int) -> str:
    """Return a figure with its interval, or why there is none."""
    value = row[name]
    if pd.isna(value):
        return str(row.get(name.replace("_db", "_censored"), "") or "–")
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    text = f"{value:.{digits}f}"
    return text if low is None or pd.isna(low) else f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def table(matrix: pd.DataFrame) -> str:
    """Return the definitions side by side, in Markdown."""
    names = (
        *("AUC as stored", "AUC at its level", "level"),
        *("DT75 at own θ (dB)", "false alarms there (%)", "DT75 at 10 % false alarms (dB)"),
        "AUC within origins",
    )
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for _, row in matrix.iterrows():
        stored = row["auc_stored"] if pd.notna(row["auc_stored"]) else row["auc"]
        cells = (
            f"{stored:.3f}",
            number(row, "auc", 3),
            str(row["level"]),
            number(row, "dt75_db", 1),
            f"{100 * row['dt75_false_alarms']:.1f}",
            number(row, "dt75_roc10_db", 1),
            number(row, "auc_within", 3),
        )
        name = f"{row['variant']} (nano)" if row["model"] == "nano" else row["variant"]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    print(table(read_table(parser.parse_args().results / "tables" / "matrix.csv", ("level",))))


if __name__ == "__main__":
    main()
