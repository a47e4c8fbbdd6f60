"""Charts of the page as Vega-Lite, drawn from the tables that its figures are drawn from.

A chart stands for the figure of the catalogue that has its name. All share the parameter
``shown``, the variants that a reader wants to see, and the colour of each variant.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from speechdt.reporting.figures.roc import DET_TICKS, deviate
from speechdt.reporting.pages.report.chart_parts import (
    Spec,
    around,
    colour,
    fixed,
    hover,
    values,
    x_axis,
)
from speechdt.reporting.tables.formatting import minus
from speechdt.reporting.tables.latency_text import DOUBTED
from speechdt.reporting.tables.operating_points import at
from speechdt.reporting.tables.thresholds_text import HEADLINE, OWN

Tables: TypeAlias = Mapping[str, pd.DataFrame]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BANDS = 4
"""With more variants than these, bands would hide the curves."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
CONFIG: Spec = {
    "background": "#ffffff",
    "font": FONT,
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
    "view": {"stroke": None},
    "mark": {"tooltip": None},
}
SHOWN = {"filter": "indexof(shown, datum.variant) >= 0"}
FEW = {"filter": f"length(shown) <= {BANDS}"}


def charts(tables: Tables, variants: Sequence[str]) -> dict[str, Spec]:
    """Return the charts that the tables allow, by the names of the figures they stand for.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Of the results, by name.
    variants : sequence of str
        All, in the order that gives each its colour.
    """
    made = {}
    for name, (needed, chart) in CHARTS.items():
        if set(needed) <= set(tables):
            spec = chart(tables, variants)
            if spec is not None:
                made[name] = _whole(spec, variants)
    return made


def _whole(spec: Spec, variants: Sequence[str]) -> Spec:
    size = {} if "facet" in spec else {"width": "container", "height": 320}
    shared = {"name": "shown", "value": list(variants)}
    return {"$schema": SCHEMA, "config": CONFIG, "params": [shared], **size, **spec}


THRESHOLDS = {"": "learned on dev", "vendor_": "the vendor's"}
"""Thresholds that the ROC marks, by what the columns of their rates begin with."""
THRESHOLD_SHAPES: Spec = {
    **{"field": "what", "type": "nominal", "title": "Threshold"},
    **{"scale": {"domain": list(THRESHOLDS.values())}},
    **{"legend": {"orient": "bottom", "title": None}},
}
RATE = {"domain": [0, 1]}
PERCENT = {"format": "%"}


def _psychometric(
    tables: Tables, variants: Sequence[str], dimension: str, axis: Spec
) -> Spec | None:
    curves = tables["curves"]
    of = curves[(curves["dimension"] == dimension) & (curves["slice"].astype(str) == "all")]
    kind = HEADLINE if (of["kind"] == HEADLINE).any() else OWN
    of = of[of["kind"] == kind]
    if of.empty:
        return None
    fitted = of["fitted"].astype(bool)
    line, points = of[fitted], of[~fitted]
    columns = ["variant", "level", "rate", "low", "high"]
    hit = "Hits at 10 % false alarms" if kind == HEADLINE else "SPEECH said to speech, own θ"
    shared = {"x": axis, "color": colour(variants)}
    y = {"field": "rate", "type": "quantitative", "title": hit, "scale": RATE, "axis": PERCENT}
    band = {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    unit = "SNR (dB)" if dimension == "snr" else "Duration (ms)"
    tooltip = hover(
        ("level", unit, "~g"), ("rate", "Hits", ".1%"), ("low", "95 % from", ".1%"),
        ("high", "to", ".1%"),
    )  # fmt: skip
    curve = values(line[columns])
    return {
        "layer": [
            {"data": curve, "transform": [SHOWN, FEW], "encoding": band,
             "mark": {"type": "area", "opacity": 0.15}},
            {"data": curve, "transform": [SHOWN], "encoding": {**shared, "y": y},
             "mark": {"type": "line", "strokeWidth": 2}},
            {"data": {"values": [{"rate": 0.5}, {"rate": 0.75}]},
             "encoding": {"y": {"field": "rate", "type": "quantitative"}},
             "mark": {"type": "rule", "color": "#8a8a8a", "strokeDash": [2, 3]}},
            {"data": values(points[columns]), "transform": [SHOWN],
             "encoding": {**shared, "y": y, "tooltip": tooltip},
             "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1}},
        ]
    }  # fmt: skip


def _along_snr(tables: Tables, variants: Sequence[str]) -> Spec | None:
    return _psychometric(tables, variants, "snr", x_axis("level", "SNR (dB)", axis={"grid": False}))


def _along_duration(tables: Tables, variants: Sequence[str]) -> Spec | None:
    of = tables["curves"]
    levels = of.loc[(of["dimension"] == "duration") & ~of["fitted"].astype(bool), "level"]
    axis = {"values": sorted(set(levels.astype(float))), "grid": False, "format": "~g"}
    x = x_axis("level", "Duration (ms)", scale={"type": "log", "nice": False}, axis=axis)
    return _psychometric(tables, variants, "duration", x)


def _roc(tables: Tables, variants: Sequence[str]) -> Spec:
    curves = tables["roc"][["variant", "false_alarm", "hit", "low", "high"]]
    lowest = float(curves["false_alarm"].min())
    scale = {"type": "log", "domain": [lowest, 1], "nice": False}
    ticks = [tick for tick in (0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1) if tick >= lowest]
    x = x_axis("false_alarm", "False alarms: NONSPEECH called SPEECH (log axis)", scale=scale,
           axis={"values": ticks, "format": "~%", "labelSeparation": 5})  # fmt: skip
    y = {"field": "hit", "type": "quantitative", "title": "Hits: SPEECH called SPEECH",
         "scale": RATE, "axis": PERCENT}  # fmt: skip
    shared = {"x": x, "y": y, "color": colour(variants)}
    band = {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    tooltip = hover(
        ("false_alarm", "False alarms", ".2%"), ("hit", "Hits", ".1%"),
        ("low", "95 % from", ".1%"), ("high", "to", ".1%"),
    )  # fmt: skip
    at_threshold = hover(
        ("what", "Threshold", ""), ("false_alarm", "False alarms", ".2%"), ("hit", "Hits", ".1%")
    )
    data = values(curves)
    return {
        "layer": [
            {"data": data, "transform": [SHOWN, FEW], "encoding": band,
             "mark": {"type": "area", "opacity": 0.12}},
            {"data": data, "transform": [SHOWN], "encoding": shared,
             "mark": {"type": "line", "strokeWidth": 2}},
            {"data": data, "transform": [SHOWN], "encoding": {**shared, "tooltip": tooltip},
             "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.001}},
            {"data": values(_thresholds(tables["operating_points"], lowest)),
             "transform": [SHOWN],
             "encoding": {**shared, "tooltip": at_threshold, "shape": THRESHOLD_SHAPES},
             "mark": {"type": "point", "size": 90, "strokeWidth": 2.5}},
        ]
    }  # fmt: skip


def _det(tables: Tables, variants: Sequence[str]) -> Spec:
    curves = tables["roc"][["variant", "false_alarm", "hit"]]
    lowest = float(curves["false_alarm"].min())
    ends = deviate([lowest, DET_TICKS[-1]]).tolist()
    axis = {"values": deviate(DET_TICKS).tolist(), "labelSeparation": 5,
            "labelExpr": "format(cumulativeNormal(datum.value), '.1~%')"}  # fmt: skip
    shared = {"color": colour(variants)}
    titles = {"x": "NONSPEECH called SPEECH (normal deviates)", "y": "SPEECH missed"}
    for name, title in titles.items():
        scale = {"domain": ends, "nice": False}
        shared[name] = x_axis(name, title, scale=scale, axis=axis)
    rates = (("false_alarm", "False alarms", ".2%"), ("miss", "Misses", ".2%"))
    shown = {"transform": [SHOWN]}
    data = {"data": values(_deviates(curves))}
    points = _deviates(_thresholds(tables["operating_points"], lowest))
    return {
        "layer": [
            {**data, **shown, "encoding": shared,
             "mark": {"type": "line", "strokeWidth": 2, "clip": True}},
            {**data, **shown, "encoding": {**shared, "tooltip": hover(*rates)},
             "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.001,
                      "clip": True}},
            {"data": values(points), **shown,
             "encoding": {**shared, "shape": THRESHOLD_SHAPES,
                          "tooltip": hover(("what", "Threshold", ""), *rates)},
             "mark": {"type": "point", "size": 90, "strokeWidth": 2.5, "clip": True}},
        ]
    }  # fmt: skip


def _deviates(rates: pd.DataFrame) -> pd.DataFrame:
    missed = 1 - rates["hit"]
    places = {"x": deviate(rates["false_alarm"]), "y": deviate(missed)}
    return rates.drop(columns="hit").assign(miss=missed, **places)


def _thresholds(points: pd.DataFrame, lowest: float) -> pd.DataFrame:
    rows = []
    for row in at(points).to_dict("records"):
        for prefix, what in THRESHOLDS.items():
            if not pd.isna(row.get(f"{prefix}hit", np.nan)):
                alarm = max(float(row[f"{prefix}false_alarm"]), lowest)
                rows.append((row["variant"], what, alarm, float(row[f"{prefix}hit"])))
    return pd.DataFrame(rows, columns=["variant", "what", "false_alarm", "hit"])


def _score_shares(tables: Tables, variants: Sequence[str]) -> Spec:
    tooltip = hover(
        ("label", "Class", ""), ("p_low", "P(speech) from", ".2f"), ("p_high", "to", ".2f"),
        ("share", "Share of its clips", ".1%"),
    )  # fmt: skip
    bars = {
        "x": {"field": "p_low", "type": "quantitative", "bin": {"binned": True}, "title": None,
              "axis": {"values": [0, 0.5, 1], "format": "~g"}, "scale": RATE},
        "x2": {"field": "p_high"},
        "y": {"field": "share", "type": "quantitative", "title": None, "stack": None,
              "scale": {"type": "sqrt"}, "axis": {"values": [0.01, 0.1, 0.5], "format": "%"}},
        "color": {"field": "label", "type": "nominal", "title": None,
                  "scale": {"domain": ["SPEECH", "NONSPEECH"], "range": ["#0072B2", "#D55E00"]},
                  "legend": {"orient": "top"}},
        "tooltip": tooltip,
    }  # fmt: skip
    return {
        "data": values(tables["score_shares"]),
        "transform": [SHOWN, {"filter": "datum.share > 0"}],
        "columns": 4,
        "facet": {"field": "variant", "type": "nominal", "title": None, "sort": list(variants),
                  "header": {"labelFontWeight": "bold", "labelFontSize": 12}},
        "spec": {"width": 170, "height": 90, "encoding": bars,
                 "mark": {"type": "bar", "opacity": 0.6}},
    }  # fmt: skip


def _levels(tables: Tables, variants: Sequence[str]) -> Spec | None:
    levels = tables["levels"].copy()
    levels["level"] = levels["level"].astype(str)
    if levels.empty:
        return None
    numbers = sorted({float(level) for level in levels["level"] if level != "stored"})
    order = [minus(f"{level:g}") for level in numbers] + ["stored"]
    levels["level"] = [
        one if one == "stored" else minus(f"{float(one):g}") for one in levels["level"]
    ]
    levels["heard"] = np.where(levels["heard"].astype(bool), "scored at this level", "")
    x = {"field": "level", "type": "ordinal", "sort": order,
         "scale": {"domain": order}, "title": "Level (dBFS rms) on dev",
         "axis": {"labelAngle": 0}}  # fmt: skip
    y: dict[str, Any] = {"field": "auc", "type": "quantitative", "title": "AUC on dev"}
    y["scale"] = {"zero": False} | fixed(levels[["auc", "auc_low", "auc_high"]])
    shared = {"x": x, "y": y, "color": colour(variants)}
    tooltip = hover(
        ("level", "Level", ""), ("auc", "AUC", ".3f"), ("auc_low", "95 % from", ".3f"),
        ("auc_high", "to", ".3f"), ("heard", "", ""),
    )  # fmt: skip
    names = ["variant", "level", "auc", "auc_low", "auc_high", "heard"]
    data = values(levels.dropna(subset=["auc"])[names])
    filled = {"condition": {"test": "datum.heard != ''", "value": 160}, "value": 40}
    bar = {**shared, "y": {**y, "field": "auc_low"}, "y2": {"field": "auc_high"}}
    return {
        "layer": [
            {"data": data, "transform": [SHOWN, FEW], "encoding": bar, "mark": "rule"},
            {"data": data, "transform": [SHOWN], "encoding": shared,
             "mark": {"type": "line", "strokeWidth": 1.5}},
            {"data": data, "transform": [SHOWN],
             "encoding": {**shared, "tooltip": tooltip, "size": filled},
             "mark": {"type": "point", "filled": True, "opacity": 1}},
        ]
    }  # fmt: skip


def _pareto(tables: Tables, variants: Sequence[str]) -> Spec | None:
    pareto = tables["pareto"].dropna(subset=["latency_p50_ms"])
    ends = ["balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"]
    if pareto.empty or not set(ends) <= set(pareto):
        return None
    x = x_axis("latency_p50_ms", "Median time of a clip (ms, log axis)",
           scale={"type": "log", "domain": around(pareto["latency_p50_ms"]), "nice": False},
           axis={"format": "~g"})  # fmt: skip
    y = {"field": ends[0], "type": "quantitative", "title": "Balanced accuracy",
         "scale": {"zero": False} | fixed(pareto[ends]), "axis": PERCENT}  # fmt: skip
    shared = {"x": x, "y": y, "color": colour(variants)}
    trusted = pareto["trusted"].astype(bool)
    pareto = pareto.assign(
        name=np.where(trusted, pareto["variant"], pareto["variant"] + f" {DOUBTED}"),
        time=np.where(trusted, "can be quoted", "not to be trusted"),
    )
    tooltip = hover(
        ("latency_p50_ms", "Median (ms)", ".3g"), ("time", "Time", ""),
        (ends[0], "Balanced accuracy", ".1%"), (ends[1], "95 % from", ".1%"),
        (ends[2], "to", ".1%"),
    )  # fmt: skip
    bar = {**shared, "y": {**y, "field": ends[1]}, "y2": {"field": ends[2]}}
    return {
        "data": values(pareto[["variant", "name", "time", "latency_p50_ms", *ends]], 6),
        "transform": [SHOWN],
        "layer": [
            {"encoding": bar, "mark": "rule"},
            {"encoding": {**shared, "tooltip": tooltip},
             "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1}},
            {"encoding": {**shared, "text": {"field": "name"}},
             "mark": {"type": "text", "align": "left", "dx": 9, "dy": -6}},
        ],
    }  # fmt: skip


CHARTS: dict[str, tuple[tuple[str, ...], Callable[[Tables, Sequence[str]], Spec | None]]] = {
    "psychometric_snr": (("curves",), _along_snr),
    "psychometric_duration": (("curves",), _along_duration),
    "roc": (("roc", "operating_points"), _roc),
    "det": (("roc", "operating_points"), _det),
    "score_shares": (("score_shares",), _score_shares),
    "levels": (("levels",), _levels),
    "pareto": (("pareto",), _pareto),
}
"""Tables that a chart needs, and the function that makes it, by the name of its figure."""
