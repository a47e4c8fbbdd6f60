"""Criteria for tests: those of the plan, and studies of one's own."""

from pathlib import Path

import yaml

from speechdt.reporting.tables.criteria import criteria_of

FILE = Path(__file__).resolve().parents[2] / "rules" / "criteria.yaml"
PLAN = criteria_of(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def study(*criteria, tree=()):
    """Return the criteria of a study."""
    return criteria_of({"criteria": list(criteria), "tree": list(tree)})
