"""Environments of detectors: one with a numpy that conflicts with the workflow's, and stand-ins."""

import subprocess
import sys
import venv

import pytest

NUMPY = "1.26.4"
"""Older than any that the workflow takes, as some detectors pin it."""
OLD = """
from speechdt import hookimpl
class Old:
    gpus = 0
    def __init__(self, scale: float = 1.0):
        import numpy
        print("what a detector prints is no answer", flush=True)
        self.major, self.scale = int(numpy.__version__.split(".")[0]), scale
    def score(self, clips):
        return [self.scale * self.major / 10 + float(abs(clip).sum() > 0) / 100 for clip in clips]
@hookimpl
def detectors(): return {"old": Old}
"""


def old_numpy(folder):
    """Make a virtual environment with such a numpy; skip the test where none can be made."""
    venv.create(folder, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    pip += ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    pip += ["--retries", "0", "--timeout", "10", f"numpy=={NUMPY}", "pluggy"]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["?"])[-1]
        pytest.skip(f"no environment with numpy {NUMPY} can be made here: {reason}")
    return folder


def stand_in(file, text):
    """Return a program that stands for a Python: it says versions, and then does something else."""
    versions = 'import sys\nif sys.argv[1] == "-c":\n    print("{}")\n    sys.exit()\n'
    file.write_text(f"#!{sys.executable}\n{versions}{text}\n")
    file.chmod(0o755)
    return file
