"""Load that others put on a machine: loops in processes that no test is the parent of."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager

import psutil

# The parent ends at once, so that the loop is nobody's child here; and it ends by itself.
LOOP = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
end = time.time() + float(sys.argv[1])
print(os.getpid(), flush=True)
while time.time() < end: pass
"""


@contextmanager
def busy(seconds):
    """Keep every core at work while the block runs, for at most so many seconds."""
    with ExitStack() as stack:
        for _ in range(psutil.cpu_count()):
            command = [sys.executable, "-c", LOOP, str(seconds)]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
                stack.callback(psutil.Process(int(started.stdout.readline())).kill)
        yield
