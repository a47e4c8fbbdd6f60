"""Captions of the charts, each in place of that of the figure that the chart stands for."""

from speechdt.reporting.pages.report.charts import BANDS

HOVER = "Hover or tap for values; choose the detectors at the top."
CAPTIONS = {
    "psychometric_snr": (
        "Points: observed rates over all durations. Lines: fitted psychometric curves. Hits "
        "at 10 % false alarms: how often speech scores higher than all but 10 % of the "
        "NONSPEECH clips of the same SNR, so that no detector gains by saying SPEECH more "
        "readily; where too few clips were tested for that, SPEECH decisions at its own "
        f"threshold. With {BANDS} detectors or fewer: 95 % intervals over groups of "
        f"recordings. {HOVER}"
    ),
    "psychometric_duration": f"The same against duration, over all SNRs of the plan. {HOVER}",
    "roc": (
        "Every threshold on test, over all noisy trials. Marks: the threshold learned on dev, "
        f"and the vendor's default. With {BANDS} detectors or fewer: 95 % intervals over "
        f"groups. {HOVER}"
    ),
    "det": (
        "A DET curve: misses in place of hits, both axes in normal deviates, which spread out "
        f"rare errors. The lower left is better. {HOVER}"
    ),
    "score_shares": (
        "Share of each class's clips by P(speech), over all noisy test trials; the axis of "
        f"shares is stretched near zero. {HOVER}"
    ),
    "levels": (
        "AUC on dev with clips played at each level, and as they are stored. The large mark "
        f"is the level at which the detector is scored on test. With {BANDS} detectors or "
        f"fewer: 95 % intervals over groups. {HOVER}"
    ),
    "pareto": (
        "Over all noisy test trials, against the time of one clip on a warm detector. Lines: "
        f"95 % intervals over groups. ¶: a time that is not to be trusted. {HOVER}"
    ),
}
