"""The pages of docs/: their links, the names of code that they quote, and the plan's criteria."""

import re

import pytest
import yaml
from support.criteria import PLAN
from support.layout import section

from speechdt.reporting.tables.criteria import criteria_of

PAGES = ("README.md", "CONTRIBUTING.md", "results/README.md", "docs/*.md")


@pytest.fixture(scope="module")
def pages(root):
    """Text of every page, by its path."""
    files = [file for pattern in PAGES for file in sorted(root.glob(pattern))]
    return {file: file.read_text(encoding="utf-8") for file in files}


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere(pages):
    for file, text in pages.items():
        for link in re.findall(r"\]\(([^)]+)\)", without_code(text)):
            if "://" in link:
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            assert target.exists(), f"{file.name}: {link}"
            if anchor:
                headings = anchors(target.read_text(encoding="utf-8"))
                assert anchor in headings, f"{file.name}: {link}; there are {sorted(headings)}"


def test_the_table_of_contents_leads_to_every_page(root, pages):
    linked = set(re.findall(r"\]\((\w+\.md)", pages[root / "docs" / "index.md"]))
    assert linked | {"index.md"} == {file.name for file in (root / "docs").glob("*.md")}


def test_names_of_the_code_are_there(root, pages):
    for file, text in pages.items():
        for name in re.findall(r"`(speechdt(?:\.\w+)+)`", text):
            assert is_there(root, name.split(".")), f"{file.name}: there is no {name}"


def is_there(root, steps):
    """Say whether a dotted name is a module or package, or is defined in one."""
    path = root
    for place, step in enumerate(steps):
        path = path / step
        if path.with_suffix(".py").exists():
            code = path.with_suffix(".py").read_text(encoding="utf-8")
            rest = steps[place + 1 :]
            return all(
                re.search(rf"^\s*(?:def |class )?{name}\b", code, re.MULTILINE) for name in rest
            )
        if not path.is_dir():
            return False
    return True


def test_the_plan_s_page_has_every_criterion(root):
    text = " ".join((root / "docs" / "plan.md").read_text(encoding="utf-8").split())
    for criterion in PLAN.criteria:
        for named in criterion.named("B4", ["D1", "D2"]):
            assert f"| {named.text} |" in text, named.text
    for question in PLAN.tree:
        bound, steps = f"{100 * question.condition.bound:g} %", (question.met, question.not_met)
        assert f"{question.condition.variant}: " in text
        assert bound in section(root / "docs" / "plan.md", "Decision tree")
        assert "phase" in steps[0]


def test_the_page_s_example_is_one(root):
    text = section(root / "docs" / "plan.md", "Another study's criteria")
    config, criteria = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    assert set(config) == {"verdict"}
    plan = criteria_of(criteria, config["verdict"]["judged"] + config["verdict"]["baselines"])
    assert len(plan.criteria) == 3
    assert len(plan.tree) == 1
