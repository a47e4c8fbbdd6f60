"""Tables of conditions, of rooms and of the published protocol as text."""

import pandas as pd

from speechdt.reporting.tables.formatting import (
    MISSING,
    Cell,
    Row,
    Threshold,
    decimal,
    minus,
    number,
    percent,
    text_table,
)

NEUTRAL = "neutral"
AXES = {
    "duration": "duration (ms)",
    "noise": "white noise (dB)",
    "background": "background",
    "room": "room (RT60, s)",
    "channel": "channel",
    "level": "level (dBFS)",
}
"""Axes as readers see them."""
CHANNELS = {
    "band_300_3400": "300–3400 Hz",
    "lowpass_3400": "low-pass 3400 Hz",
    "highpass_300": "high-pass 300 Hz",
    "g711": "G.711 (µ-law)",
    "opus_12k": "Opus, 12 kbit/s",
    "mp3_32k": "MP3, 32 kbit/s",
    "speech_shaped": "speech-shaped",
    "recording": "recorded",
}
"""Conditions whose names are not what readers call them."""


def condition_name(row: Row) -> str:
    """Return what a condition is called."""
    if row["axis"] == NEUTRAL:
        return NEUTRAL
    at = str(row["at"])
    return CHANNELS.get(at, minus(at))


def conditions_table(conditions: pd.DataFrame, *, thresholds: bool = True) -> pd.DataFrame:
    """Return a row for each variant and condition, with thresholds if clips had several SNRs."""
    cells: dict[str, Cell] = {
        "Variant": lambda row: str(row["variant"]),
        "Axis": lambda row: AXES.get(str(row["axis"]), MISSING),
        "Condition": condition_name,
        "Balanced (%)": lambda row: percent(row, "accuracy"),
        "AUC": lambda row: decimal(row, "auc"),
        "Hits at 10 % f. a. (%)": lambda row: percent(row, "hits"),
    }
    if thresholds:
        cells |= {
            "DT75 (dB)": lambda row: _level(row, "dt75"),
            "Shift (dB)": lambda row: _level(row, "dt75_shift_db"),
            "p Holm": lambda row: number(row["p_holm"], 3),
            "Verdict": _verdict,
        }
    return text_table(conditions, cells)


def _verdict(row: Row) -> str:
    verdict = row["verdict"]
    return str(verdict) if pd.notna(verdict) and verdict else MISSING


def _level(row: Row, name: str) -> str:
    threshold = Threshold.of(row, name)
    if threshold.censored == "undefined":
        return threshold.censored
    if threshold.censored:
        return "higher" if threshold.censored == ">" else "lower"
    if pd.isna(threshold.value):
        return MISSING
    return _with_ends(threshold.value, threshold.low, threshold.high)


def _with_ends(value: float, *ends: float) -> str:
    low, high = (number(end) if abs(end) != float("inf") else "open" for end in ends)
    return f"{number(value)} [{low}, {high}]"


def shifts_table(conditions: pd.DataFrame) -> pd.DataFrame:
    """Return shifts of DT75: a row for each condition, a column for each variant."""
    others = conditions[conditions["axis"] != NEUTRAL]
    keys = list(dict.fromkeys(zip(others["axis"], others["at"].astype(str), strict=True)))
    rows = []
    for axis, at in keys:
        of = others[(others["axis"] == axis) & (others["at"].astype(str) == at)]
        row = {"Axis": AXES[axis], "Condition": condition_name({"axis": axis, "at": at})}
        for _, one in of.iterrows():
            mark = " *" if one["verdict"] in ("gain", "loss") else ""
            row[str(one["variant"])] = _level(one, "dt75_shift_db") + mark
        rows.append(row)
    return pd.DataFrame(rows).fillna(MISSING)


def rooms_table(rooms: pd.DataFrame) -> pd.DataFrame:
    """Return the measured reverberation times of the impulse responses of each room."""
    return text_table(
        rooms,
        {
            "Room (RT60, s)": lambda row: f"{float(row['room']):g}",
            "Response": lambda row: str(row["response"]),
            "Measured (s)": lambda row: number(row["rt60_s"], 2),
            "Direct over rest (dB)": lambda row: number(row["direct_db"], 1),
            "Length (s)": lambda row: number(row["seconds"], 2),
        },
    )


def giveaways_table(giveaways: pd.DataFrame) -> pd.DataFrame:
    """Return AUC of trivial classifiers: a row for each condition."""
    rows = []
    for (axis, at), of in giveaways.groupby(["axis", "at"], sort=False, dropna=False):
        name = condition_name({"axis": axis, "at": at})
        row = {"Condition": f"room, {name} s" if axis == "room" else name}
        row |= {str(one["features"]): decimal(one, "auc") for _, one in of.iterrows()}
        rows.append(row)
    return pd.DataFrame(rows).fillna(MISSING)


def bank_table(bank: pd.DataFrame) -> pd.DataFrame:
    """Return balanced accuracies over clips and axes: a row for each variant and threshold."""
    rows = []
    for (variant, threshold), of in bank.groupby(["variant", "threshold"], sort=False):
        row = {"Variant": str(variant), "Decision threshold": str(threshold)}
        rows.append(row | {str(one["over"]): percent(one, "accuracy") for _, one in of.iterrows()})
    return pd.DataFrame(rows).fillna(MISSING)


def bank_thresholds_table(thresholds: pd.DataFrame) -> pd.DataFrame:
    """Return interpolated and fitted thresholds side by side, and why they differ."""
    units = {"duration": "ms", "noise": "dB"}

    def interpolated(row: Row) -> str:
        return row["interpolated_censored"] or number(row["interpolated"])

    def fitted(row: Row) -> str:
        if row["fitted_censored"]:
            return str(row["fitted_censored"])
        return _with_ends(row["fitted"], row["fitted_low"], row["fitted_high"])

    cells: dict[str, Cell] = {
        "Variant": lambda row: str(row["variant"]),
        "Decision threshold": lambda row: str(row["threshold"]),
        "Along": lambda row: f"{row['axis']} ({units[row['axis']]})",
        "Rate": lambda row: str(row["rate"]),
        "Reaches (%)": lambda row: number(100 * row["proportion"], 0),
        "Interpolated": interpolated,
        "Fitted": fitted,
        "Why they differ": lambda row: row["why"] or MISSING,
    }
    return text_table(thresholds, cells)


def beside_table(beside: pd.DataFrame) -> pd.DataFrame:
    """Return our figures beside the published ones, of the same checkpoints alone."""
    return text_table(
        beside,
        {
            "Variant": lambda row: str(row["variant"]),
            "Published system": lambda row: str(row["system"]),
            "Figure": lambda row: str(row["figure"]),
            "Published": lambda row: number(row["published"]),
            "Here": lambda row: number(row["here"]),
        },
    )
