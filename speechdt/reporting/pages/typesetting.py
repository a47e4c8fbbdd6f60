"""Typesetting of the paper's folder by pdflatex, with one line on the files that TeX lacks."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from speechdt.errors import SpeechdtError

DEBIAN = "apt-get install texlive-latex-recommended texlive-fonts-recommended"
FONTS = {"times": ("ptmr8t.tfm", "psnfss times")}
"""Font metrics that a package needs beside itself, and what brings both for tlmgr."""
TURNS = 2
"""For the references."""


def typeset(folder: Path, log: Path) -> None:
    """Make ``main.pdf`` of ``main.tex``; the PDF carries no date.

    Parameters
    ----------
    folder : Path
        Of the paper.
    log : Path
        Where what pdflatex says goes.

    Raises
    ------
    SpeechdtError
        If there is no pdflatex, TeX lacks a package or a font, or it fails: the message is one
        line and says what to install.
    """
    if not shutil.which("pdflatex"):
        raise SpeechdtError(f"pdflatex is not installed: {DEBIAN}")
    if missing := lacking((folder / "main.tex").read_text(encoding="utf-8")):
        files, packages = zip(*missing.items(), strict=True)
        raise SpeechdtError(
            f"TeX lacks {', '.join(files)}: {DEBIAN}, or tlmgr install {' '.join(packages)}"
        )
    dateless = os.environ | {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    for _ in range(TURNS):
        done = subprocess.run(command, cwd=folder, env=dateless, capture_output=True)
        output = done.stdout.decode(errors="replace")
        log.write_text(output, encoding="utf-8")
        if done.returncode:
            complaint = re.search(r"^! (.*)$", output, re.MULTILINE)
            why = complaint[1] if complaint else f"exit status {done.returncode}"
            raise SpeechdtError(f"pdflatex fails: {why} ({log})")


def lacking(text: str) -> dict[str, str]:
    """Return the files that TeX does not find of those that a document loads, with their packages.

    Parameters
    ----------
    text : str
        The document.
    """
    loaded = re.findall(r"\\usepackage(?:\[[^\]]*\])?\{([^}]*)\}", text)
    wanted: dict[str, str] = {}
    for name in (name.strip() for names in loaded for name in names.split(",")):
        font, package = FONTS.get(name, ("", name))
        wanted |= {f"{name}.sty": package} | ({font: package} if font else {})
    return {file: package for file, package in wanted.items() if not _is_installed(file)}


def _is_installed(file: str) -> bool:
    if not shutil.which("kpsewhich"):  # none of TeX Live: pdflatex itself will say
        return True
    return subprocess.run(["kpsewhich", file], capture_output=True).returncode == 0
