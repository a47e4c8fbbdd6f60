"""speechdt: an audiometer for machines.

Plays short, noisy clips to speech detectors and reports at which SNR and duration each one stops
hearing speech. What a plugin needs is here; everything else is in the modules.
"""

from speechdt.detector import SAMPLE_RATE, Detector, FineTunable, Prompted, hookimpl
from speechdt.plugins import PluginError, check_options, find_detectors
from speechdt.stages import stage

__all__ = [
    "SAMPLE_RATE",
    "Detector",
    "FineTunable",
    "PluginError",
    "Prompted",
    "check_options",
    "find_detectors",
    "hookimpl",
    "stage",
]
__version__ = "0.1.0"
