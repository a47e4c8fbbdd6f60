"""Conditions: the cost of rooms, channels, backgrounds and levels, and the published protocol."""

from typing import Any

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables import conditions_text as text


def section(results: Results) -> Section | None:
    """Return the section, or None if no variant was played conditions."""
    tables = results.tables
    if "conditions" not in tables or tables["conditions"].empty:
        return None
    settings = results.config["conditions"]
    clean = settings["background"] == "none"
    content: dict[str, Any] = {
        "clean": clean,
        "items": settings["items"],
        "duration_ms": int(tables["conditions"]["duration_ms"].iloc[0]),
        "background": settings["background"],
        "measured": results.config["rooms"]["path"],
        "figures": [] if clean else results.drawings("conditions"),
        "conditions": Table(
            "conditions-all", "Every variant in every condition.",
            text.conditions_table(tables["conditions"], thresholds=not clean),
        ),
    }  # fmt: skip
    if not clean:
        content["shifts"] = Table(
            "conditions-shifts",
            "Shift of DT75 against the neutral condition, in dB; above zero it takes a higher SNR.",
            text.shifts_table(tables["conditions"]),
        )
    content |= _others(results)
    return Section("conditions", "Rooms, channels and other conditions", content, "Conditions")


def _others(results: Results) -> dict[str, Any]:
    """Return the tables that not every run has."""
    made = {
        "rooms": ("rooms", "Impulse responses of the rooms.", text.rooms_table),
        "giveaways": (
            "condition_giveaways",
            "AUC of trivial classifiers, trained on the clips of train, in each "
            "condition at its highest SNR.",
            text.giveaways_table,
        ),
        "bank": (
            "published_bank",
            "Balanced accuracy (%) in the published protocol, over all clips and by axis.",
            text.bank_table,
        ),
        "bank_thresholds": (
            "published_thresholds",
            "Thresholds in the published protocol, by linear interpolation and from fitted curves.",
            text.bank_thresholds_table,
        ),
        "beside": (
            "published_beside",
            "The published figures beside those of the same checkpoints here.",
            text.beside_table,
        ),
    }
    return {
        name: Table(name.replace("_", "-"), caption, table(results.tables[source]))
        for name, (source, caption, table) in made.items()
        if source in results.tables and not results.tables[source].empty
    }
