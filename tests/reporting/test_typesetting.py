"""Lacks of a TeX installation, each said in one line."""

import pytest

from speechdt.errors import SpeechdtError
from speechdt.reporting.pages import typesetting


def test_no_pdflatex_says_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechdtError, match="pdflatex is not installed: apt-get install texlive"):
        typesetting.typeset(tmp_path, tmp_path / "log")


@pytest.mark.skipif(not typesetting.shutil.which("kpsewhich"), reason="no TeX Live here")
def test_a_package_that_is_missing_is_named(tmp_path):
    text = r"\usepackage[utf8]{inputenc}\usepackage{nosuchpackage, times}"
    assert typesetting.lacking(text) == {"nosuchpackage.sty": "nosuchpackage"}
    (tmp_path / "main.tex").write_text(text)
    with pytest.raises(
        SpeechdtError, match=r"TeX lacks nosuchpackage.sty: .* tlmgr install nosuch"
    ):
        typesetting.typeset(tmp_path, tmp_path / "log")
