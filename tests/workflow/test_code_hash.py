"""An edit changes the hash of the stages that run it, and of no others."""

import pickle
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
        module.write("EDITED = True\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    conditions = {f"measure_{name}.py" for name in ("conditions", "published_bank", "foils")}
    assert changed == {"fit_thresholds.py", "compare_variants.py"} | conditions


def test_comments_docstrings_and_layout_touch_nothing(library):
    before = hashes(library)
    for path in [*library.rglob("*.py")]:
        path.write_text('# edited\n"""Of nothing."""\n\n\n' + path.read_text())
    assert hashes(library) == before


def test_a_docstring_counts_where_the_file_reads_it(tmp_path):
    files = [tmp_path / name for name in ("reads.py", "ignores.py")]
    for file, code in zip(files, ("print(__doc__)", "print(1)"), strict=True):
        file.write_text(f'"""One."""\n{code}\n')
    before = [code_hash.code_hash(file) for file in files]
    for file in files:
        file.write_text(file.read_text().replace("One", "Two"))
    after = [code_hash.code_hash(file) for file in files]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]


def test_the_frame_of_jobs_touches_nothing_unless_it_is_named(library):
    script = library / "scripts" / "scores" / "latency.py"
    before, timed = hashes(library), code_hash.code_hash(script, also=["detectors/stages.py"])
    for name in ("workflow/jobs.py", "store.py", "detectors/plugins.py", "detectors/stages.py"):
        with (library / "speechdt" / name).open("a") as module:
            module.write("EDITED = True\n")
    assert hashes(library) == before
    assert code_hash.code_hash(script, also=["detectors/stages.py"]) != timed


def test_a_hash_travels_with_those_of_its_files(library):
    code = code_hash.code_hash(library / "scripts" / "scores" / "score.py")
    assert {"scripts/scores/score.py", "detectors/scoring.py"} <= set(code.files)
    assert pickle.loads(pickle.dumps(code)).files == code.files


def test_what_trains_a_language_model_and_what_asks_it_are_told_apart():
    cls = plugins.find_detectors()["qwen2_audio"]
    scores, training = ({f.name for f in plugins.source_files(cls, training=t)} for t in (0, 1))
    assert {"engine.py", "decoder.py"} <= scores - training
    assert {"answer_model.py", "trainer.py", "collate.py"} <= training - scores
    assert {"mel.py", "loading.py", "question.py", "qwen2_audio.py"} <= scores & training
    assert not {"card.py", "reachable.py", "tokenizer.py"} & (scores | training)


def test_training_runs_nothing_that_is_said_to_be_of_scores_alone(root):
    cls = plugins.find_detectors()["qwen2_audio"]
    qwen = root / "backends" / "qwen"
    counted = {*plugins.source_files(cls, training=True)}
    incidental = {file for pattern in cls.incidental_files for file in qwen.glob(pattern)}
    waiting = [qwen / "finetuning" / "finetune.py", qwen / "loading.py", qwen / "mel.py"]
    visited = set()
    while waiting:
        file = waiting.pop()
        if file in visited or file in incidental:
            continue
        visited.add(file)
        assert file in counted, f"{file} is imported in training"
        waiting += modules_beside(file)
    assert len(visited) > 15


def modules_beside(file):
    """Return the modules that a file imports by a relative name."""
    for name in code_hash._imports(file):
        stem = name.lstrip(".")
        if stem == name:
            continue
        module = file.parents[len(name) - len(stem) - 1].joinpath(*stem.split("."))
        if module.with_suffix(".py").exists():
            yield module.with_suffix(".py")


def test_an_edit_deep_below_is_seen(library, before):
    with (library / "speechdt" / "seeds.py").open("a") as module:
        module.write("EDITED = True\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert {"choose_items.py", "render_trials.py", "split_sources.py"} <= changed
    assert not changed & {"score.py", "calibrate.py", "fit_thresholds.py", "latency.py"}


def test_an_edit_inside_of_a_package_is_seen(library, before):
    with (library / "speechdt" / "reporting" / "figures" / "style.py").open("a") as module:
        module.write("EDITED = True\n")
    after = hashes(library)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"draw_figure.py", "write_paper.py", "write_report.py"}


@pytest.mark.parametrize("part", ["page.py", "sections/calibration.py"])
def test_an_edit_of_one_page_rewrites_no_other(library, before, part):
    with (library / "speechdt" / "reporting" / "pages" / "report" / part).open("a") as module:
        module.write("EDITED = True\n")
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
    detectors = plugins.find_detectors(tmp_path)

    def now():
        call.running.cache_clear()  # as in another process
        codes = {
            name: code_hash.code_hash(*plugins.source_files(detectors[name])) for name in names
        }
        return codes, {name: call.store_name(name, detectors[name], {}) for name in names}

    for edited in ("_pack/__init__.py", "_pack/table.json"):
        before = now()
        with (tmp_path / edited).open("a") as file:
            file.write("\n1 + 1\n")
        for old, new in zip(before, now(), strict=True):
            assert {name for name in names if old[name] != new[name]} == {"near", "far"}
    plugins.find_detectors()  # the checkout's own again
