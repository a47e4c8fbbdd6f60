"""Jinja environments of all pages: HTML, plain text and LaTeX, over one folder of templates."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import markupsafe

from speechdt.instrument import STAMP
from speechdt.reporting.tables.formatting import explain
from speechdt.reporting.tables.skill import WORDS

TEMPLATES = Path(__file__).with_name("templates")

_KINDS: dict[str, dict[str, Any]] = {
    ".html": {"autoescape": True},
    ".md": {},
    # LaTeX has uses of its own for braces and for the percent sign.
    ".tex": {
        **{"block_start_string": "<%", "block_end_string": "%>"},
        **{"variable_start_string": "<<", "variable_end_string": ">>"},
        **{"comment_start_string": "<#", "comment_end_string": "#>"},
    },
}
"""Options of the environment by what a template's name ends in, before ``.j2``."""


def template(name: str) -> jinja2.Template:
    """Return a template of `TEMPLATES`, in the environment of its kind.

    Parameters
    ----------
    name : str
        Path below `TEMPLATES`: ``….html.j2`` (escaped), ``….md.j2``, or ``….tex.j2``, whose
        delimiters are ``<% %>`` and ``<< >>``.
    """
    return _environment(Path(name.removesuffix(".j2")).suffix).get_template(name)


def text(name: str) -> str:
    """Return a file of `TEMPLATES` that is taken as it is, such as a style or a script."""
    return (TEMPLATES / name).read_text(encoding="utf-8")


def in_script(value: Any) -> markupsafe.Markup:
    """Return a value as JSON for a script element, which only "</" could end early."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return markupsafe.Markup(text.replace("</", "<\\/"))


@cache
def _environment(kind: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **_KINDS[kind],
    )
    environment.globals |= {"explain": explain, "instrument": STAMP, "marks": WORDS}
    environment.filters["json"] = in_script
    return environment
