"""Latencies of detectors on one base, which is read once; a killed job goes on where it was."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from speechdt.detectors.hearing import Hearing
from speechdt.detectors.latency import measure
from speechdt.detectors.shared_base import SharedBase
from speechdt.store import Store


def measure_in_turn(
    hearings: Mapping[str, Hearing],
    shared: SharedBase,
    clips: Sequence[bytes],
    store: Store,
    measured_on: Mapping[str, Any],
    *,
    anew: bool = False,
) -> dict[str, dict[str, Any]]:
    """Time detectors one after the other, each once.

    Parameters
    ----------
    hearings : mapping of str to Hearing
    shared : SharedBase
    clips : sequence of bytes
        As for `speechdt.detectors.latency.measure`.
    store : Store
        What was measured, by detector, clips and `measured_on`.
    measured_on : mapping
        All else that times hang on: the round of timings, hardware, versions, code.
    anew : bool
        Whether what is kept is measured all the same.

    Returns
    -------
    dict of str to dict
        As of `measure`. load_s is what a detector by itself would take: reading the base, once
        for all, and folding its adapter in. peak_memory_mib is of the process, with the copy of
        weights that it keeps to take an adapter out again; where a GPU holds that copy,
        peak_gpu_memory_mib is without it. What others did before a detector was timed is what
        they did while the one before it was, where there is one.
    """
    before = None
    about = {"clips": [hashlib.sha256(clip).hexdigest() for clip in clips], **measured_on}
    latencies = {}
    for name, hearing in hearings.items():
        identity = json.dumps([hearing.store_name(), about], sort_keys=True, default=str)
        key = hashlib.sha256(identity.encode()).digest()
        kept = {} if anew else store.get([key])
        if key not in kept:
            kept[key] = _measured(hearing, shared, clips, before)
            store.put(kept)
            before = kept[key]["load"]["others_during"]
        latencies[name] = kept[key]
    return latencies


def _measured(
    hearing: Hearing, shared: SharedBase, clips: Sequence[bytes], before: float | None
) -> dict[str, Any]:
    loads = shared.loads
    timed = measure(lambda: hearing.build(shared.built), clips, before)
    if shared.loads == loads:
        timed["load_s"] += shared.load_s
    if shared.set_aside:
        timed["peak_gpu_memory_mib"] -= shared.set_aside / 2**20
    return timed
