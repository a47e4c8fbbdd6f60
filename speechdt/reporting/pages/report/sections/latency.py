"""Latency by stage, throughput, memory, and the machines of the measurements."""

from collections.abc import Mapping
from typing import Any

from speechdt.reporting.pages.parts import Table
from speechdt.reporting.pages.report.section import Results, Section
from speechdt.reporting.tables.latency_text import doubt_notes, latency_table, resources_table


def section(results: Results) -> Section:
    """Return the section."""
    latency = results.tables["latency"]
    resources = resources_table(latency, results.tables["pareto"])
    caption = "Milliseconds a clip by stage: median (95th percentile), one at a time, warm."
    tables = [
        Table("stages", caption, latency_table(latency)),
        Table("resources", "Throughput, loading and memory.", resources),
    ]
    content = {
        "latency": tables,
        "doubts": doubt_notes(latency),
        "machines": machines(results.hardware),
    }
    return Section("latency", "Latency", content)


def machines(hardware: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the variants measured on each machine, by its description."""
    by_machine: dict[str, list[str]] = {}
    for variant, machine in hardware.items():
        gpus = "; ".join(machine["gpus"]) or "no GPU"
        text = (
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, "
            f"{gpus}, {machine['system']}"
        )
        by_machine.setdefault(text, []).append(variant)
    return by_machine
