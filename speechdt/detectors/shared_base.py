"""Detectors in turn on one base: a checkpoint that is read once, under other options each time.

A class takes part by two attributes: ``of_base``, the options that say what is loaded, and
``become``, which is called with all options of the next detector and says whether it is that now.
"""

import gc
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from speechdt.detectors import call
from speechdt.detectors.contract import Detector


def shares(cls: type) -> bool:
    """Say whether detectors of a class can be had in turn on one base."""
    return hasattr(cls, "become") and bool(getattr(cls, "of_base", ()))


def base_options(cls: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that say what is loaded."""
    return {name: options[name] for name in getattr(cls, "of_base", ()) if name in options}


class SharedBase:
    """The base that is loaded, if any, and whatever detector it is at present.

    Only the detector that was asked for last may be used.

    Parameters
    ----------
    audio_gib : float
        Memory for encoded audio, which detectors on one base have in common.

    Attributes
    ----------
    loads : int
        How many times weights were read.
    load_s : float
        How long reading the present base took, s.
    """

    def __init__(self, audio_gib: float = 0.0) -> None:
        self._base: Any = None
        self._audio_gib = audio_gib
        self._key, self._present = "", ""
        self.loads, self.load_s = 0, 0.0

    def built(self, backend: str, cls: type[Detector], options: Mapping[str, Any]) -> Detector:
        """Return a detector, on the present base if that is its own.

        Raises
        ------
        BuildError
            As `speechdt.detectors.call.built`.
        """
        if not shares(cls):
            return self._loaded(backend, cls, options)
        own = base_options(cls, options)
        key = json.dumps([backend, own], sort_keys=True, default=str)
        present = json.dumps([backend, dict(options)], sort_keys=True, default=str)
        if self._base is not None and present == self._present:
            return self._as_it_is()
        if self._base is None or key != self._key:
            self.release()
            began = time.perf_counter()
            self._base = self._loaded(backend, cls, own)
            if hasattr(self._base, "keep_audio"):
                self._base.keep_audio(self._audio_gib)
            self._key, self.load_s = key, time.perf_counter() - began
        try:
            if call.became(self._base, backend, options):
                self._present = present
                return self._as_it_is()
        except BaseException:
            self.release()  # whatever state it is in
            raise
        self.release()
        return self._loaded(backend, cls, options)

    @property
    def set_aside(self) -> int:
        """Bytes of GPUs that the present detector holds for the next one on its base."""
        return int(getattr(self._base, "set_aside", 0))

    def _as_it_is(self) -> Detector:
        base: Detector = self._base
        return base

    def _loaded(self, backend: str, cls: type[Detector], options: Mapping[str, Any]) -> Detector:
        self.loads, self.load_s = self.loads + 1, 0.0
        return call.built(backend, cls, options)

    def release(self) -> None:
        """Let go of the base, so that another finds room."""
        if not self.loads:
            return
        self._base, self._key, self._present = None, "", ""
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()
