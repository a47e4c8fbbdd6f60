"""Rules of the layout: which part imports which, what else must never be, and how long things are.

Each rule is a function from the folder of a checkout to a list of violations, a line each.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

MOST_LINES, MOST_OF_FUNCTION = 350, 60
MOST_OF_COMMON = 100
"""Lines of `rules/common.smk`."""
CODE = ("speechdt", "backends", "rules/scripts")
"""Folders whose modules and functions are to be short."""
KNOW_SNAKEMAKE = (
    *("speechdt/workflow/own_folder.py", "speechdt/reporting/pages/release*.py"),
    "rules/scripts/reporting/make_release.py",
)
"""Who may know Snakemake's own folder."""
IMPORTERS = {
    "pluggy": ("speechdt/detectors/plugins.py", "speechdt/detectors/contract.py"),
    "gepa": ("speechdt/prompts/gepa.py",),
}
"""Which modules alone may import a package."""
PERSONIFIED = ("told", "heard", "found", "known", "said", "gone", "meant", "understood")
"""Names that say what happened to a thing, as to a person, and not what it is."""
RULE = re.compile(r'^ *(?:use )?rule .+:\n +"""(.*)', re.MULTILINE)
"""A rule of the workflow, and the first line of its docstring."""
OPENS = r"^(?:what|how|which)\b"
CLAUSES = {ast.Module: r"\bwhat\b", ast.ClassDef: OPENS}
"""Clauses in the first line of docstrings that leave out the noun."""


def order(document: Path) -> dict[str, set[str]]:
    """Return what each part may import, from the table of parts of `docs/architecture.md`."""
    table = section(document, "The parts")
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", table, re.MULTILINE)
    return {part: set(re.findall(r"`(\w+)`", others)) for part, others in rows}


def section(document: Path, title: str) -> str:
    """Return a section of a page in Markdown; '' if there is none of that title."""
    text = document.read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def violations(root: Path, allowed: Mapping[str, set[str]]) -> list[str]:
    """Return all violations of a checkout, whichever rule they are of."""
    rules = (
        *(against_order(root, allowed), below_the_parts(root), package_files(root)),
        *(workflow_from_backends(root), backends_by_name(root), packages(root)),
        *(snakemake_folder(root), texts(root), too_long(root)),
        *(riddles(root), descriptions(root)),
    )
    return [line for lines in rules for line in lines]


def modules(root: Path, *folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the Python files below some folders of a checkout, parsed, by their path in it."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            yield path.relative_to(root).as_posix(), _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def imports(where: str, tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports; relative ones and `import_module` as well."""
    package = where.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) == "import_module" and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value


def part_of(where: str) -> str:
    """Return the part that a module of the library lies in; '' below the parts."""
    steps = where.split("/")
    return steps[1] if len(steps) > 2 else ""


def against_order(root: Path, allowed: Mapping[str, set[str]]) -> list[str]:
    """Return imports of a part that its row of the table does not have, and parts without a row."""
    problems = []
    for where, tree in modules(root, "speechdt"):
        part = part_of(where)
        if part and part not in allowed:
            problems.append(f"{where}: {part} is no part of docs/architecture.md")
        for name in imports(where, tree) if part in allowed else ():
            other = name.split(".")[1] if name.startswith("speechdt.") else ""
            if other in allowed and other not in {part, *allowed[part]}:
                problems.append(f"{where}: {part} imports {other} ({name})")
    return problems


def below_the_parts(root: Path) -> list[str]:
    """Return imports of parts by what lies below them all, or of the plugins' front by any.

    `speechdt/__init__.py` is that front: what a plugin imports, and so it imports detectors.
    """
    problems = []
    for where, tree in modules(root, "speechdt"):
        if where == "speechdt/__init__.py":
            continue
        for name in imports(where, tree):
            steps = name.split(".")
            if steps[0] != "speechdt":
                continue
            module = root.joinpath("speechdt", *steps[1:2])
            if len(steps) > 1 and module.is_dir() and not part_of(where):
                problems.append(f"{where}: lies below the parts and imports {name}")
            elif not (len(steps) > 1 and (module.is_dir() or module.with_suffix(".py").exists())):
                problems.append(f"{where}: imports {name} from what is for plugins")
    return problems


def package_files(root: Path) -> list[str]:
    """Return parts whose own file imports something: rules would hash it with any module."""
    return [
        f"{where}: imports {', '.join(names)}; a part's own file imports nothing"
        for where, tree in modules(root, "speechdt")
        if where.count("/") == 2 and where.endswith("/__init__.py")
        if (names := list(imports(where, tree)))
    ]


def unlisted(root: Path) -> list[str]:
    """Return modules and folders of a part that its docstring does not name."""
    problems = []
    for path in sorted((root / "speechdt").glob("*/__init__.py")):
        listed = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        inside = [*path.parent.glob("*.py"), *(file.parent for file in path.parent.glob("*/*.py"))]
        problems += [
            f"{path.relative_to(root).as_posix()}: does not name {name}"
            for name in sorted({file.stem for file in inside} - {"__init__"})
            if not re.search(rf"\b{name}\b", listed)
        ]
    return problems


def workflow_from_backends(root: Path) -> list[str]:
    """Return imports of the workflow by detectors: rules, scripts and commands alone have it."""
    return [
        f"{where}: a backend imports {name}"
        for where, tree in modules(root, "backends")
        for name in imports(where, tree)
        if name.startswith("speechdt.workflow")
    ]


def backends_by_name(root: Path) -> list[str]:
    """Return modules of the library that name a backend."""
    return [
        f"{where}: names a backend (speechdt_backends)"
        for where, _ in modules(root, "speechdt")
        if where != "speechdt/detectors/plugins.py"
        and "speechdt_backends" in (root / where).read_text(encoding="utf-8")
    ]


def packages(root: Path) -> list[str]:
    """Return imports of packages that one module alone is to know."""
    return [
        f"{where}: imports {name}; only {', '.join(IMPORTERS[package])} may"
        for where, tree in modules(root, "speechdt", "backends", "rules")
        for name in imports(where, tree)
        if where not in IMPORTERS.get(package := name.split(".")[0], (where,))
    ]


def snakemake_folder(root: Path) -> list[str]:
    """Return modules that know `.snakemake/`, beside what reads it and what makes a release."""
    return [
        f"{where}: knows .snakemake"
        for where, _ in modules(root, "speechdt", "backends", "rules")
        if not any(Path(where).match(pattern) for pattern in KNOW_SNAKEMAKE)
        and ".snakemake" in (root / where).read_text(encoding="utf-8")
    ]


def texts(root: Path) -> list[str]:
    """Return modules of reporting whose name ends in `_text` without tables of text, or with none.

    A table of text is made by `formatting.text_table`, or as a frame of dtype str.
    """
    problems = []
    for where, tree in modules(root, "speechdt/reporting"):
        makers = [
            function.name
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef) and function.name != "text_table"
            if any(_makes_text(node) for node in ast.walk(function))
        ]
        if where.endswith("_text.py") and not makers:
            problems.append(f"{where}: ends in _text and makes no table of text")
        if not where.endswith("_text.py"):
            problems += [
                f"{where}: {name} makes a table of text outside of _text" for name in makers
            ]
    return problems


def riddles(root: Path) -> list[str]:
    """Return names of variables, functions and fields that do not say what the thing is."""
    return [
        f"{where}: {name} does not say what it is"
        for where, tree in modules(root, *CODE, "benchmarks", "tests")
        for node in ast.walk(tree)
        for name in _names(node)
        if name.strip("_").lower() in PERSONIFIED
    ]


def descriptions(root: Path) -> list[str]:
    """Return modules, classes, rules and tests whose docstring opens on a clause, not on a noun."""
    openings = [
        (where, opening, OPENS if where.startswith("tests/") else CLAUSES[type(node)])
        for where, tree in modules(root, *CODE, "benchmarks", "tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef)
        for opening in (ast.get_docstring(node) or "").splitlines()[:1]
    ]
    openings += [
        (file.relative_to(root).as_posix(), opening, OPENS)
        for file in sorted((root / "rules").glob("*.smk"))
        for opening in RULE.findall(file.read_text(encoding="utf-8"))
    ]
    return [
        f"{where}: opens on a clause, not on a noun: {opening}"
        for where, opening, clause in openings
        if re.search(clause, opening, re.IGNORECASE)
    ]


def _names(node: ast.AST) -> list[str]:
    """Return the names that a node gives to something."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return [node.attr]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        return [node.asname or ""]
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler
    return [node.name or ""] if isinstance(node, definitions) else []


def too_long(root: Path) -> list[str]:
    """Return modules, functions and the rules' common file that are too long, with their lines."""
    problems = []
    for where, tree in modules(root, *CODE):
        lines = len((root / where).read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            problems.append(f"{where}: {lines} lines, more than {MOST_LINES}")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_OF_FUNCTION:
                    problems.append(
                        f"{where}: {node.name} has {lines} lines, more than {MOST_OF_FUNCTION}"
                    )
    common = root / "rules" / "common.smk"
    lines = len(common.read_text(encoding="utf-8").splitlines()) if common.exists() else 0
    if lines > MOST_OF_COMMON:
        problems.append(f"rules/common.smk: {lines} lines, more than {MOST_OF_COMMON}")
    return problems


def _makes_text(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    of_text = any(
        keyword.arg == "dtype" and isinstance(keyword.value, ast.Name) and keyword.value.id == "str"
        for keyword in node.keywords
    )
    return _called(node) == "text_table" or (_called(node) == "DataFrame" and of_text)


def _called(node: ast.Call) -> str:
    """Return the name of what is called, without what it is of."""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))
