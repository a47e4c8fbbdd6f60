"""A configuration resolved as `rules/common.smk` does it, without a workflow."""

import yaml
from snakemake.utils import validate

from speechdt.reporting.tables.criteria import criteria_of
from speechdt.reporting.tables.training import SETTINGS
from speechdt.workflow.checkout import Checkout
from speechdt.workflow.criteria import read_criteria
from speechdt.workflow.resolution import resolve
from speechdt.workflow.settings import checked, with_defaults


def resolved(root, changes, given=None):
    """Return the experiment of configs/ci.yaml with changes, or raise what refuses it.

    Parameters
    ----------
    root : Path
        Of the checkout.
    changes : dict
        What another configuration file would say.
    given : dict, optional
        What ``--config`` said, which the changes hold, too.
    """
    small = with_defaults(changes, root / "configs" / "ci.yaml")
    config = with_defaults(small, root / "workflow_config.yaml")
    settings = checked(config, given or {}, root / "rules" / "config.schema.yaml", validate)
    settings["corpus"] = Checkout(root).with_corpora(settings["corpus"])
    experiment = resolve(settings, "results", SETTINGS)
    read_criteria(settings["verdict"], settings["variants"], criteria_of)
    return experiment


def overridden(root, text):
    """Return the experiment that ``--config TEXT`` gives, `key=value` in YAML."""
    key, _, value = text.partition("=")
    changes = {key: yaml.safe_load(value)}
    return resolved(root, changes, given=changes)
