"""Cap on the GPU memory of a workflow's jobs, and a note of each job's seconds and GiB.

Python runs this first where its folder is on PYTHONPATH (`benchmarks/card_24gb_workflow.py`), so
that scripts run as they are. It does something in jobs alone: torch takes seconds to import.
"""

import atexit
import json
import os
import sys
import time
from pathlib import Path

CAP, NOTES = "SPEECHDT_CAP_GIB", "SPEECHDT_CAP_NOTES"
"""Variables: GiB that a process may take, and the folder of notes."""


def cap():
    """Cap this process, as soon as torch uses a GPU."""
    import torch

    def limit():
        total = torch.cuda.get_device_properties(0).total_memory
        torch._C._cuda_setMemoryFraction(min(1.0, float(os.environ[CAP]) * 2**30 / total), 0)

    # Not `set_per_process_memory_fraction`, which starts CUDA before a job has claimed its GPU.
    torch.cuda._lazy_call(limit)


def note(start):
    """Write down what the job was, and its seconds and GiB."""
    torch, main = sys.modules["torch"], sys.modules["__main__"]
    if not torch.cuda.is_initialized():
        return
    job = getattr(main, "snakemake", None)
    usage = {
        "job": getattr(job, "rule", "probe"),
        "of": " ".join(getattr(job, "wildcards", [])),
        "seconds": round(time.perf_counter() - start, 1),
        "allocated_gib": round(torch.cuda.max_memory_allocated(0) / 2**30, 2),
        "reserved_gib": round(torch.cuda.max_memory_reserved(0) / 2**30, 2),
    }
    Path(os.environ[NOTES], f"{time.time_ns()}.json").write_text(json.dumps(usage))


if CAP in os.environ and any("/.snakemake/scripts/" in word for word in sys.orig_argv):
    cap()
    atexit.register(note, time.perf_counter())
