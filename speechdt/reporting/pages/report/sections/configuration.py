"""The configuration of the run."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from speechdt.reporting.pages.report.section import Results, Section


def section(results: Results) -> Section:
    """Return the section."""
    return Section("configuration", "Configuration", {"config": as_yaml(results.config)})


def as_yaml(config: Mapping[str, Any]) -> str:
    """Return the configuration as YAML, in its own order."""
    plain = json.loads(json.dumps(config, default=str))
    return str(
        yaml.safe_dump(
            plain, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
        )
    )
