"""The image, built of the project's own files by buildah, and the workflow inside of it.

No registry is asked: its base is a Debian of debootstrap, in the place of CUDA's, on which it runs
on a CPU.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.checkouts import SMALL

BASE, IMAGE = "localhost/speechdt-test-base", "localhost/speechdt-test"
MISSING = [tool for tool in ("buildah", "debootstrap") if not shutil.which(tool)]
pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="makes a root file system: needs root"),
]


def buildah(*arguments):
    done = subprocess.run(["buildah", *map(str, arguments)], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    return done.stdout.strip()


def make_base(folder):
    """Make an image of a minimal Debian, unless there is one."""
    if subprocess.run(["buildah", "inspect", BASE], capture_output=True).returncode == 0:
        return
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", folder], check=True)
    container = buildah("from", "scratch")
    buildah("add", container, folder, "/")
    buildah("commit", "--rm", container, BASE)


def of_this_machine():
    """Return volumes that let pip work inside as it does here: certificates, folders of wheels."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], text=True, capture_output=True
    ).stdout
    words = listed.replace("'", " ").replace("file://", "").split()
    folders = {Path(word).parent if Path(word).is_file() else Path(word) for word in words}
    candidates = {"/usr/local/share/ca-certificates", "/etc/xdg/pip", *(str(f) for f in folders)}
    return [
        part
        for folder in sorted(candidates)
        if folder.startswith("/") and folder != "/etc/ssl/certs" and Path(folder).is_dir()
        for part in ("--volume", f"{folder}:{folder}:ro")
    ]


@pytest.fixture(scope="module")
def image(root, tmp_path_factory):
    make_base(tmp_path_factory.mktemp("debian") / "root")
    context = tmp_path_factory.mktemp("checkout") / "speechdt"
    subprocess.run(["git", "clone", "--quiet", root, context], check=True)
    buildah(
        *("build", "--isolation", "chroot", "--build-arg", f"BASE={BASE}"),
        *of_this_machine(),
        *("-f", context / "container" / "Dockerfile", "-t", IMAGE, context),
    )
    return IMAGE


def test_the_workflow_runs_in_the_image(image, tmp_path):
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
    container = buildah("from", image)
    try:
        buildah(
            *("run", "--isolation", "chroot", "--volume", f"{tmp_path}:/work", container, "--"),
            *("snakemake", "--snakefile", "/opt/src/speechdt/Snakefile", "--cores", "2"),
            *("results/tables/matrix.csv", "--configfile", "small.yaml"),
        )
    finally:
        buildah("rm", container)
    lines = (tmp_path / "results" / "tables" / "matrix.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == ["D1", "D2"]
