"""The layout of the code, as docs/architecture.md has it, and that a violation is found."""

import re
from graphlib import TopologicalSorter

import pytest
from support import layout

ALLOWED = {"audio": set(), "statistics": set(), "corpus": {"audio"}, "detectors": {"audio"}}
ALLOWED |= {"reporting": {"statistics"}, "workflow": {"detectors"}}
LONG = "    x = 1\n"
TEXT = "def cells(rows):\n    return pd.DataFrame(rows, dtype=str)\n"
PLUGINS = "speechdt/detectors/plugins.py"
SOUND = {
    "speechdt/__init__.py": "from speechdt.detectors.plugins import find\n",
    "speechdt/errors.py": "import ast\n",
    "speechdt/audio/__init__.py": '"""Sound."""\n',
    "speechdt/audio/mixing.py": "from speechdt import errors\nfrom speechdt.errors import E\n",
    "speechdt/corpus/split.py": "from speechdt.audio import mixing\nfrom . import index\n",
    PLUGINS: "import pluggy\nNAME = 'speechdt_backends'\n",
    "speechdt/reporting/tables/formatting.py": TEXT.replace("cells", "text_table"),
    "speechdt/reporting/tables/matrix_text.py": TEXT,
    "speechdt/workflow/own_folder.py": "LOCKS = '.snakemake'\n",
    "backends/mine.py": "from speechdt import hookimpl\nfrom speechdt.audio import mixing\n",
    "rules/common.smk": "x = 1\n" * 100,
    "rules/scripts/scores/score.py": "from speechdt.workflow import unlock\n",
}
PLANTED = [
    ("speechdt/audio/io.py", "import speechdt.corpus.split\n", "audio imports corpus"),
    ("speechdt/audio/io.py", "from speechdt import corpus\n", "audio imports corpus"),
    ("speechdt/audio/io.py", "def f():\n    from ..corpus import split\n", "audio imports corpus"),
    ("speechdt/audio/io.py", "x = import_module('speechdt.corpus')\n", "audio imports corpus"),
    ("speechdt/statistics/x.py", "from speechdt.audio import io\n", "statistics imports audio"),
    (
        "speechdt/reporting/x.py",
        "from speechdt.detectors import x\n",
        "reporting imports detectors",
    ),
    ("speechdt/corpus/x.py", "from speechdt.detectors import x\n", "corpus imports detectors"),
    ("speechdt/detectors/x.py", "from speechdt.workflow import x\n", "detectors imports workflow"),
    ("speechdt/odds/x.py", "", "odds is no part of"),
    ("speechdt/files.py", "from speechdt.audio.io import read\n", "lies below the parts"),
    ("speechdt/audio/io.py", "from speechdt import find_detectors\n", "is for plugins"),
    ("speechdt/audio/io.py", "import speechdt\n", "is for plugins"),
    ("speechdt/audio/__init__.py", "from speechdt.audio import mixing\n", "imports nothing"),
    (
        "backends/mine.py",
        "from speechdt.workflow.jobs import logged\n",
        "a backend imports speechdt",
    ),
    ("speechdt/workflow/x.py", "x = import_module('speechdt_backends.qwen')\n", "names a backend"),
    ("speechdt/detectors/x.py", "from pluggy import HookimplMarker\n", "imports pluggy"),
    ("speechdt/detectors/x.py", "gepa = import_module('gepa')\n", "imports gepa; only"),
    ("rules/scripts/prompts/x.py", "import gepa.optimize\n", "imports gepa.optimize; only"),
    ("rules/scripts/scores/x.py", "x = '.snakemake/metadata'\n", "knows .snakemake"),
    ("speechdt/reporting/tables/x.py", TEXT, "cells makes a table of text outside of _text"),
    ("speechdt/reporting/pages/x.py", "def f(x):\n    return a.text_table(x)\n", "f makes a table"),
    ("speechdt/reporting/tables/x_text.py", "def f(x):\n    return x\n", "makes no table of text"),
    ("speechdt/audio/io.py", "x = 1\n" * 351, "351 lines, more than 350"),
    ("backends/qwen/x.py", "def f():\n" + LONG * 60, "f has 61 lines, more than 60"),
    ("rules/scripts/x.py", "class A:\n  def g(s):\n" + LONG * 60, "g has 61 lines, more than 60"),
    ("rules/common.smk", "x = 1\n" * 101, "101 lines, more than 100"),
    ("speechdt/audio/x.py", "def f(x):\n    return [told for told in x]\n", "told does not say"),
    ("backends/qwen/x.py", "def f(x, known=()):\n    return x\n", "known does not say"),
    ("rules/scripts/x.py", "class A:\n    heard: int\n", "heard does not say"),
    ("tests/x.py", "def f(x):\n    with x as said:\n        return said\n", "said does"),
    ("speechdt/files.py", "import ast as known\n", "known does not say"),
    ("benchmarks/x.py", "async def heard():\n    return 1\n", "heard does not say"),
    ("benchmarks/x.py", "def found():\n    return 1\n", "found does not say"),
    ("speechdt/files.py", '"""What files are."""\n', "opens on a clause"),
    ("speechdt/files.py", 'class A:\n    """How it is."""\n', "opens on a clause"),
    ("tests/x.py", '"""How it is."""\n', "opens on a clause"),
    ("rules/scores.smk", 'rule score:\n    """What is scored."""\n', "opens on a clause"),
    ("backends/qwen/x.py", '"""Texts, and what they share.\n\nMore.\n"""\n', "opens on a clause"),
]


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


# --- this checkout --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def allowed(root):
    return layout.order(root / "docs" / "architecture.md")


def test_the_parts_are_those_of_the_page_and_stand_in_no_circle(root, allowed):
    folders = {path.parent.name for path in (root / "speechdt").glob("*/__init__.py")}
    assert folders == set(allowed)
    assert set(TopologicalSorter(allowed).static_order()) == folders


def test_imports_run_one_way(root, allowed):
    assert layout.against_order(root, allowed) == []
    assert layout.below_the_parts(root) == []
    assert layout.package_files(root) == []


def test_each_part_lists_its_modules(root):
    assert layout.unlisted(root) == []


def test_detectors_know_nothing_of_the_workflow(root):
    assert layout.workflow_from_backends(root) == []


def test_the_library_names_no_backend(root):
    assert layout.backends_by_name(root) == []


def test_some_packages_are_known_to_one_module_alone(root):
    assert layout.packages(root) == []


def test_snakemake_s_own_folder_is_known_to_few(root):
    assert layout.snakemake_folder(root) == []


def test_tables_of_text_are_made_where_names_say_so(root):
    assert layout.texts(root) == []


def test_names_and_docstrings_say_what_a_thing_is(root):
    assert layout.riddles(root) == []
    assert layout.descriptions(root) == []


def test_nothing_is_too_long(root):
    assert layout.too_long(root) == []


# --- planted violations ---------------------------------------------------------------------------


def test_what_is_sound_passes(tmp_path):
    write(tmp_path, SOUND)
    assert layout.violations(tmp_path, ALLOWED) == []


@pytest.mark.parametrize(("name", "text", "message"), PLANTED)
def test_a_planted_violation_is_found(tmp_path, name, text, message):
    write(tmp_path, SOUND | {name: text})
    (violation,) = layout.violations(tmp_path, ALLOWED)
    assert violation.startswith(f"{name}: ")
    assert message in violation


def test_a_module_that_its_part_does_not_list_is_found(tmp_path):
    files = {"speechdt/audio/__init__.py": '"""Audio.\n\nio : reader.\n"""\n'}
    write(tmp_path, files | {"speechdt/audio/io.py": "", "speechdt/audio/hum.py": ""})
    assert layout.unlisted(tmp_path) == ["speechdt/audio/__init__.py: does not name hum"]


# --- what docs/architecture.md promises -----------------------------------------------------------


def test_what_is_asked_for_lies_where_the_page_says(root):
    answers = layout.section(root / "docs" / "architecture.md", "Where is …")
    rows = re.findall(r"^\| ([^|`]+) \| `([^`]+)` \| ([^|]*) \|$", answers, re.MULTILINE)
    assert len(rows) >= 13
    for question, path, names in rows:
        assert (root / path).is_file(), f"{question}: {path} is not there"
        code = (root / path).read_text(encoding="utf-8")
        for name in re.findall(r"`([^`]+)`", names):
            defined = rf"^\s*(?:def |class |- )?{re.escape(name)}\b"
            assert re.search(defined, code, re.MULTILINE), f"{question}: no {name} in {path}"


def test_the_walk_of_one_run_names_what_is_there(root):
    walk = layout.section(root / "docs" / "architecture.md", "One run, from configuration to table")
    calls = re.findall(r"`(speechdt(?:\.\w+)+)\.(\w+)`", walk)
    assert len(calls) >= 8
    for module, name in calls:
        code = root.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
        assert re.search(rf"^(?:def|class) {name}\b", code, re.MULTILINE), f"{module}.{name}"
    parts = {module.split(".")[1] for module, _ in calls}
    assert parts >= {"workflow", "prompts", "trials", "detectors", "statistics"}
    assert parts >= {"psychometrics", "reporting"}
    for script in re.findall(r"`(rules/\S+)`", walk):
        assert (root / script).exists(), script
