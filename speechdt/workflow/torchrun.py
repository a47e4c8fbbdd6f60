"""Start of a script in several processes under torchrun."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from speechdt.errors import SpeechdtError

WITHOUT_A_WORD = "it left no line, as one that is killed does, mostly out of memory"


def launch(script: Path | str, arguments: Mapping[str, Any], processes: int) -> None:
    """Run a script in `processes` processes of this machine and wait for their end.

    Parameters
    ----------
    script : path
        It ends in :func:`run`.
    arguments : mapping
        What JSON can hold.
    processes : int

    Raises
    ------
    SpeechdtError
        If one fails: with the line that it left.
    """
    with tempfile.TemporaryDirectory() as folder:
        complaint = Path(folder) / "error"
        file = Path(folder) / "arguments.json"
        file.write_text(json.dumps({"complaint": str(complaint), "arguments": dict(arguments)}))
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command = [*torchrun, f"--nproc_per_node={processes}", str(script), str(file)]
        if code := subprocess.run(command).returncode:
            silent = f"killed by signal {-code}" if code < 0 else WITHOUT_A_WORD
            left = complaint.read_text() if complaint.exists() else silent
            raise SpeechdtError(f"one of {processes} processes failed: {left}")


def run(main: Callable[..., None], file: Path | str) -> None:
    """Call `main` with the arguments from :func:`launch`; leave a line behind if it fails."""
    content = json.loads(Path(file).read_text())
    try:
        main(**content["arguments"])
    except Exception as error:
        line = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        Path(content["complaint"]).write_text(line)
        raise
