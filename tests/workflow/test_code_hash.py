"""An edit changes the hash of the stages that run it, and of no others."""

import shutil

import pytest

from speechdt import code_hash
from speechdt.detectors import plugins


@pytest.fixture
def library(tmp_path, root, monkeypatch):
    copy = tmp_path / "speechdt"
    shutil.copytree(root / "speechdt", copy)
    shutil.copytree(root / "rules" / "scripts", tmp_path / "scripts")
    monkeypatch.setattr(code_hash, "PACKAGE", copy)
    return tmp_path


def hashes(library):
    return {path.name: code_hash.code_hash(path) for path in (library / "scripts").rglob("*.py")}


def test_an_edit_of_the_fit_touches_the_fits_alone(library):
    before = hashes(library)
    with (library / "speechdt" / "psychometrics" / "curve.py").open("a") as module:
        module.write("# edited\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"fit_thresholds.py", "compare_variants.py"}


def test_an_edit_deep_below_is_seen(library):
    before = hashes(library)
    with (library / "speechdt" / "seeds.py").open("a") as module:
        module.write("# edited\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert {"choose_items.py", "render_trials.py", "split_sources.py"} <= changed
    assert not changed & {"score.py", "calibrate.py", "fit_thresholds.py", "latency.py"}


def test_an_edit_inside_of_a_package_is_seen(library):
    before = hashes(library)
    with (library / "speechdt" / "reporting" / "figures" / "style.py").open("a") as module:
        module.write("# edited\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"draw_figure.py", "write_paper.py"}


@pytest.mark.parametrize("part", ["page.py", "sections/calibration.py"])
def test_an_edit_of_one_page_rewrites_no_other(library, part):
    before = hashes(library)
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
