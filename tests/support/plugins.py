"""A plugin of a few lines, and a way to install it."""

import subprocess
import sys

MINE = """
from speechdt import hookimpl
class Mine:
    gpus = 0
    def score(self, clips): return [0.5] * len(clips)
@hookimpl
def detectors(): return {"mine": Mine}
"""


def install(package, target):
    """Install a package into a folder of its own, without asking any registry."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([*command, "--target", str(target), str(package)], check=True)
