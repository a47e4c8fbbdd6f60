"""Process of its own for a benchmark, so that its peak memory is its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def measured_alone(script: str, *arguments: object) -> dict[str, Any]:
    """Return the JSON object in the last line that a script prints."""
    command = [sys.executable, script, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))
