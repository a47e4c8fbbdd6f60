"""speechdt: an audiometer for machines.

Plays short, noisy clips to speech detectors and reports at which SNR and duration each one stops
hearing speech. What a plugin needs is here; everything else is in the modules.
"""

from speechdt.audio.rate import SAMPLE_RATE
from speechdt.detectors.contract import Detector, FineTunable, PluginError, Prompted, hookimpl
from speechdt.detectors.plugins import find_detectors
from speechdt.detectors.signature import check_options
from speechdt.detectors.stages import stage

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
