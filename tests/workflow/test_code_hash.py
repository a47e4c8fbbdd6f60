"""An edit changes the hash of the stages that run it, and of no others."""

import shutil

import pytest

from speechdt import code_hash
from speechdt.detectors import call, plugins


@pytest.fixture
def library(tmp_path, root, monkeypatch):
    copy = tmp_path / "speechdt"
    shutil.copytree(root / "speechdt", copy)
    shutil.copytree(root / "rules" / "scripts", tmp_path / "scripts")
    monkeypatch.setattr(code_hash, "PACKAGE", copy)
    return tmp_path


@pytest.fixture(scope="module")
def before(root):
    """The hashes of the checkout, which do not depend on its folder."""
    scripts = root / "rules" / "scripts"
    return {path.name: code_hash.code_hash(path) for path in scripts.rglob("*.py")}


def hashes(library):
    return {path.name: code_hash.code_hash(path) for path in (library / "scripts").rglob("*.py")}


def test_an_edit_of_the_fit_touches_the_fits_alone(library, before):
    with (library / "speechdt" / "psychometrics" / "curve.py").open("a") as module:
        module.write("# edited\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"fit_thresholds.py", "compare_variants.py"}


def test_an_edit_deep_below_is_seen(library, before):
    with (library / "speechdt" / "seeds.py").open("a") as module:
        module.write("# edited\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert {"choose_items.py", "render_trials.py", "split_sources.py"} <= changed
    assert not changed & {"score.py", "calibrate.py", "fit_thresholds.py", "latency.py"}


def test_an_edit_inside_of_a_package_is_seen(library, before):
    with (library / "speechdt" / "reporting" / "figures" / "style.py").open("a") as module:
        module.write("# edited\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"draw_figure.py", "write_paper.py"}


@pytest.mark.parametrize("part", ["page.py", "sections/calibration.py"])
def test_an_edit_of_one_page_rewrites_no_other(library, before, part):
    with (library / "speechdt" / "reporting" / "pages" / "report" / part).open("a") as module:
        module.write("# edited\n")
    after = hashes(library)
    assert {name for name in before if before[name] != after[name]} == {"write_report.py"}


def test_the_hash_does_not_depend_on_the_folder(library, root):
    script = root / "rules" / "scripts" / "scores" / "score.py"
    elsewhere = code_hash.code_hash(library / "scripts" / "scores" / "score.py")
    code_hash.PACKAGE = root / "speechdt"
    assert code_hash.code_hash(script) == elsewhere


def test_versions_of_what_a_backend_imports(root):
    files = [root / "backends" / "silero.py"]
    assert {"numpy", "onnxruntime"} <= set(code_hash.imported_versions(files))


def test_the_package_whose_network_runs_is_known_though_it_is_never_imported():
    files = plugins.source_files(plugins.find_detectors()["silero"])
    assert {"silero-vad", "onnxruntime"} <= set(code_hash.imported_versions(files))


def test_an_edit_two_levels_below_a_plugin_changes_the_hash_of_its_importers_alone(tmp_path):
    names = ("near", "far", "alone")
    offered = "from speechdt import hookimpl\nclass A:\n    gpus = 0\n"
    offered += "    def score(self, clips): ...\n@hookimpl\ndef detectors(): return {%r: A}\n"
    texts = {name: offered % name for name in names}
    texts["near"] += "from . import _deep\n"
    texts["far"] += "def lazily():\n    from ._deep import x\n"
    (tmp_path / "_deep.py").write_text("from ._pack import table\n")
    (tmp_path / "_pack").mkdir()
    (tmp_path / "_pack" / "__init__.py").write_text("table = 1\n")
    (tmp_path / "_pack" / "table.json").write_text("[1]")
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    found = plugins.find_detectors(tmp_path)

    def now():
        codes = {name: code_hash.code_hash(*plugins.source_files(found[name])) for name in names}
        return codes, {name: call.store_name(name, found[name], {}) for name in names}

    for edited in ("_pack/__init__.py", "_pack/table.json"):
        before = now()
        with (tmp_path / edited).open("a") as file:
            file.write(" ")
        for old, new in zip(before, now(), strict=True):
            assert {name for name in names if old[name] != new[name]} == {"near", "far"}
    plugins.find_detectors()  # the checkout's own again
