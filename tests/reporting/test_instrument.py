"""The version of definitions and corpus, where it stands, and what it keeps apart."""

import hashlib
import json

import pandas as pd

from speechdt import instrument
from speechdt.reporting.pages.environment import text
from speechdt.reporting.tables import markup


def test_another_manifest_is_another_version(root):
    """Whoever changes the embedded corpus raises `instrument.CORPUS`, and pins the manifest."""
    manifest = (root / "corpus" / "manifest.csv").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == instrument.MANIFEST


def test_tables_for_readers_are_stamped():
    table = pd.DataFrame({"Variant": ["D2"], "AUC": ["0.9"]})
    assert f"<!-- {instrument.STAMP} -->" in markup.markdown(table, "A note.")
    assert f"% {instrument.STAMP}" in markup.latex(table, "A note.")


def test_every_page_has_the_stamp():
    pages = ("report.html", "errors.html", "inspect.html", "release.md", "trials_card.md")
    for page in (*pages, "main.tex"):
        assert "instrument" in text(f"{page}.j2"), page


def test_versions_are_not_mixed_in_silence(tmp_path):
    for name, version in (
        ("new", instrument.VERSION),
        ("same", instrument.VERSION),
        ("other", "9.9"),
    ):
        (tmp_path / name / "tables").mkdir(parents=True)
        content = json.loads(instrument.record()) | {"instrument": version}
        (tmp_path / name / "tables" / instrument.FILE).write_text(json.dumps(content))
    (tmp_path / "old").mkdir()
    assert instrument.warning([tmp_path / "new", tmp_path / "same"]) == ""
    assert "other is of 9.9" in instrument.warning([tmp_path / "new", tmp_path / "other"])
    assert "old is of 1.1" in instrument.warning([tmp_path / "new", tmp_path / "old"])
