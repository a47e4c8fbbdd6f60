"""Holder of a working directory: which run, on which host, since when.

Snakemake's lock says that a run is going on, or was killed, but not whose. A run therefore leaves a
note beside it, which is good for as long as the lock is there.
"""

import json
import os
import shutil
import socket
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

NOTE = "holder.json"
QUEUE_S = 20
"""How long the queue may take to answer."""


@dataclass(frozen=True)
class Holder:
    """A run that has locked a folder.

    Attributes
    ----------
    host : str
        Name of the machine or container.
    system : str
        Identifies the running kernel and the process namespace: a process number means nothing
        in another, even of one host.
    pid : int
    started : float
        When the process started, seconds since 1970.
    since : str
        When it took the folder, UTC.
    queue : bool
        Whether its jobs go to the queue of a cluster, where they outlive it.
    """

    host: str
    system: str
    pid: int
    started: float
    since: str
    queue: bool = True

    @property
    def is_here(self) -> bool:
        """Whether its processes can be seen from here."""
        return (self.host, self.system) == (socket.gethostname(), system())

    @property
    def is_alive(self) -> bool:
        """Whether the process is there, and is the same; meaningful where it can be seen."""
        try:
            return bool(abs(psutil.Process(self.pid).create_time() - self.started) < 1)
        except psutil.NoSuchProcess:
            return False


def system() -> str:
    """Return what identifies the running kernel and the process namespace; '' if nothing does."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def leave_note(folder: Path, *, queue: bool) -> None:
    """Say in a folder that this process holds the lock, and whether its jobs are queued."""
    own = psutil.Process()
    since = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    note = Holder(socket.gethostname(), system(), own.pid, own.create_time(), since, queue)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NOTE).write_text(json.dumps(asdict(note)) + "\n")


def read_note(folder: Path) -> Holder | None:
    """Return the note in a folder, if there is one that can be read."""
    try:
        return Holder(**json.loads((folder / NOTE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def queued_jobs(folder: Path) -> list[str]:
    """Return the ids of this user's jobs in Slurm's queue whose working directory is `folder`.

    Raises
    ------
    OSError
        If there is a queue that does not answer.
    """
    if not shutil.which("squeue"):
        return []
    try:
        asked = subprocess.run(
            ["squeue", "--noheader", "--user", str(os.getuid()), "--format", "%i %Z"],
            capture_output=True,
            text=True,
            timeout=QUEUE_S,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise OSError("squeue does not answer") from error
    rows = [line.split(maxsplit=1) for line in asked.stdout.splitlines()]
    return [row[0] for row in rows if len(row) == 2 and Path(row[1]).resolve() == folder]
