"""Correlations of unrelated recordings, from which the bound of near duplicates is chosen.

Pairs of embedded recordings of one category and different groups: a stretch of the one, at a random
place, is correlated with all of the other, at every shift, in the band of the fingerprints. Near
duplicates are compared at one proposed shift and two frames beside it, so that this is the worst
that chance can do.

    python benchmarks/unrelated.py --pairs 400
"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import sosfilt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from speechdt.audio import io as audio_io
from speechdt.corpus import near_duplicates

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
LONGEST = 160_000
"""Samples of a recording that are looked at: 10 s."""
AUDIBLE = 1e-7
"""Mean square of a stretch below which it is a pause."""
LEVELS = (0.5, 0.6, 0.7, 0.8)


@cache
def filtered(path: str) -> np.ndarray:
    """Return a recording in the band of the fingerprints."""
    return sosfilt(near_duplicates._BAND, audio_io.read(CORPUS / path))[:LONGEST]


def alike(one: np.ndarray, other: np.ndarray, length: int, rng: np.random.Generator) -> float:
    """Return the highest correlation of a stretch of `other` with any of `one`; NaN of a pause."""
    if min(len(one), len(other)) < length:
        return np.nan
    start = rng.integers(0, len(other) - length + 1)
    stretch = other[start : start + length]
    if np.mean(stretch**2) < AUDIBLE:
        return np.nan
    return near_duplicates._correlation(one, stretch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=400)
    pairs = parser.parse_args().pairs
    rng = np.random.default_rng(0)
    manifest = pd.read_csv(CORPUS / "manifest.csv")
    for category, part in manifest.groupby("category"):
        groups, paths = part["group_id"].to_numpy(), part["path"].to_numpy()
        correlations: dict[int, list[float]] = {
            near_duplicates.SHORTEST: [],
            near_duplicates.STRETCH: [],
        }
        drawn = 0
        while drawn < pairs:
            one, other = rng.integers(0, len(part), 2)
            if groups[one] == groups[other]:
                continue
            drawn += 1
            for length, values in correlations.items():
                values.append(alike(filtered(paths[one]), filtered(paths[other]), length, rng))
        for length, values in correlations.items():
            finite = np.array(values)[~np.isnan(values)]
            shares = ", ".join(f"{np.mean(finite >= level):.4f} ≥ {level}" for level in LEVELS)
            shares += f", at most {finite.max():.2f}"
            print(f"{category}, {length // 16} ms: {len(finite)} pairs, {shares}")


if __name__ == "__main__":
    main()
