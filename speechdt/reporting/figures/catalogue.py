"""Catalogue of the figures: titles, captions and tables, without an import of matplotlib."""

from typing import NamedTuple

FORMATS = ("pdf", "svg", "png")
"""Formats of every figure."""


class Entry(NamedTuple):
    """A figure in the catalogue.

    Attributes
    ----------
    title, caption : str
        Plain text.
    tables : tuple of str
        Names of the tables it is drawn from.
    section : str
        Section of the report that shows it.
    in_paper : bool
        Whether the paper shows it.
    """

    title: str
    caption: str
    tables: tuple[str, ...]
    section: str = "figures"
    in_paper: bool = True


FIGURES = {
    "psychometric_snr": Entry(
        "Speech heard, against signal-to-noise ratio",
        "How often speech scores higher than all but 10 % of the NONSPEECH clips of the same SNR: "
        "hits at 10 % false alarms, whatever the decision threshold. Points are observed rates "
        "over all durations, lines the fitted psychometric curves, bands their 95 % intervals over "
        "groups of recordings (where each variant has a panel of its own, the curves of the others "
        "are grey behind it, and that of SPEECH decisions at its own threshold is dashed). An open "
        "marker over “catch” is the guess rate at the own threshold: how often the detector says "
        "SPEECH to background alone. Balanced accuracy and d′ are at the own threshold, too. Rows "
        "of thresholds: the level at which the curve reaches 50 % (DT50, open) and 75 % (DT75, "
        "filled); at the right DT75 at the own threshold (open), and where balanced accuracy "
        "reaches 75 % (filled), each with its 95 % interval. An arrow at the edge points to a "
        "threshold, or an end of an interval, outside the tested range, or to an end that the "
        "resamples cannot place; “undefined”: the "
        "false-alarm rate on background alone is already this high, or the curve does not rise. "
        "“poor fit”: the curve does not follow its points (deviance, p below 0.01), so its "
        "thresholds are doubtful.",
        ("curves", "thresholds"),
        section="audiogram",
    ),
    "roc": Entry(
        "Hits against false alarms",
        "How often each detector calls SPEECH speech, against how often it calls NONSPEECH speech, "
        "at every threshold on test, over all noisy trials; false alarms on a logarithmic axis, "
        "with dotted lines at 1, 5 and 10 %. Bands, where they leave the curves readable: 95 % "
        "intervals over groups of recordings, at each rate of false alarms. Filled: the threshold "
        "learned on dev. Open: the vendor's default. Thin: what was trained here, and "
        "stand-ins for real models.",
        ("roc", "operating_points"),
    ),
    "det": Entry(
        "Misses against false alarms",
        "DET curve: how often SPEECH is missed, against how often NONSPEECH is called SPEECH, over "
        "all noisy test trials, both axes in normal deviates. A detector whose scores are normally "
        "distributed in both classes is a straight line; the lower left is better. Bands, marks "
        "and thin lines as in “Hits against false alarms”.",
        ("roc", "operating_points"),
        in_paper=False,
    ),
    "score_shares": Entry(
        "Scores by class",
        "Share of the SPEECH clips (blue) and of the NONSPEECH clips (orange) whose P(speech) lies "
        "in each bin, over all noisy test trials; the axis of shares is stretched near zero. The "
        "less the two overlap, the better a threshold can tell them apart. The line is the "
        "threshold learned on dev.",
        ("score_shares", "operating_points"),
        in_paper=False,
    ),
    "levels": Entry(
        "How well detectors tell speech, against level",
        "Area under the ROC curve on dev, clips played at each level (root mean square of the "
        "whole clip) and, at the right, as they are stored; whiskers: 95 % intervals over groups. "
        "The filled marker is the level at which the variant is scored on test; the grey band "
        "reaches 0.01 below its best. Language models and what was trained here hear a part of "
        "dev's clips.",
        ("levels",),
        in_paper=False,
    ),
    "psychometric_duration": Entry(
        "Speech heard, against duration",
        "How often speech scores higher than all but 10 % of the NONSPEECH clips of the same "
        "duration, against the duration of the clip, on a logarithmic axis and over all SNRs of "
        "the plan; below, the durations at which a curve reaches 50 % and 75 %. A shorter "
        "threshold is better. All else as in “Speech heard, against signal-to-noise ratio”.",
        ("curves", "thresholds"),
    ),
    "heatmap": Entry(
        "Balanced accuracy at every SNR and duration",
        "Balanced accuracy in percent, every clip at every SNR and duration. All panels share the "
        "scale, which starts at chance (50 %); what lies below chance has the darkest shade.",
        ("metrics",),
    ),
    "surface": Entry(
        "How much duration buys how much SNR",
        "Hits at 10 % false alarms, at every SNR and duration: dots are the observed rates, the "
        "shade behind them the fitted surface. The dark line is its 75 % "
        "contour, dashed its 95 % interval over groups: along it, a longer clip makes up for a "
        "lower SNR. A detector without a line has it outside the tested range.",
        ("surface", "contour", "curves"),
    ),
    "pareto": Entry(
        "Accuracy against latency",
        "Balanced accuracy over all noisy test trials, with its 95 % interval, against the median "
        "time from a clip's bytes to its score, one clip at a time on a warm detector, with the "
        "interval that the clips give it. The line is the frontier: no other variant is both "
        "faster and more accurate than a filled marker.",
        ("pareto",),
    ),
    "reliability": Entry(
        "Reliability of P(speech)",
        "How often a clip is speech, against how probable the detector says that is; the diagonal "
        "is perfect calibration. Raw scores, and the same after temperature and Platt scaling "
        "learned on dev. ECE is the mean distance from the diagonal over 15 bins. Below: trials "
        "in each bin, on a logarithmic axis; points over few trials mean little.",
        ("reliability", "matrix"),
    ),
    "confusion": Entry(
        "Decisions by class",
        "What each detector says (columns) to trials of each class (rows), over all noisy test "
        "trials, with the threshold learned on dev: percent of the row, and trials.",
        ("metrics",),
    ),
    "adapters": Entry(
        "What training settings are worth",
        "Balanced accuracy on test, with its 95 % interval over groups (and seeds, where there are "
        "several), against each setting in which adapters differ while the other three are the "
        "same: training clips, LoRA rank, what the loss supervises, SpecAugment. Above: the "
        "variant.",
        ("adapters",),
    ),
    "training": Entry(
        "How training went",
        "Loss of each training (grey; of the positions that it supervises) and log-loss of the two "
        "answers on dev (blue), against steps; step 0 is the base. The star is the checkpoint that "
        "was kept: the one of the least log-loss on dev.",
        ("training",),
    ),
    "comparisons": Entry(
        "Who beats whom",
        "By how many hundredths of pooled AUC the variant of a row lies above that of a column, on "
        "the same trials; on the diagonal AUC itself, in hundredths, the best variant "
        "first. Bold: the 95 % interval of this difference, over groups, leaves out zero, without "
        "correction for the number of pairs. Framed: contrasts that were planned; the frame is "
        "solid where p is at most 0.05 after Holm's correction, and dotted where it is not.",
        ("comparisons", "matrix"),
    ),
    "conditions": Entry(
        "What each condition costs",
        "By how many dB the SNR at which 75 % of speech is heard, at 10 % false alarms, lies "
        "higher in each condition than in the neutral one, on the same recordings; whiskers: 95 % "
        "intervals over groups, paired. Filled: different after Holm's correction over the "
        "conditions of a variant. A triangle at the edge: more than 15 dB, or one of the "
        "two thresholds lies beyond the tested SNRs; “undefined”: no threshold to compare.",
        ("conditions",),
        section="conditions",
    ),
    "prompts": Entry(
        "Prompts of the bank",
        "Every prompt of the bank on all of dev, for each detector that a prompt is searched for. "
        "Left: gain in log-loss after Platt scaling over the baseline prompt on the same clips. "
        "Right: balanced accuracy at the threshold that suits dev best; the line is the baseline "
        "prompt's. Whiskers: 95 % intervals over groups of recordings.",
        ("prompts",),
        section="prompts",
        in_paper=False,
    ),
    "hygiene": Entry(
        "What hygiene would remove",
        "Share of the recordings of each category that each check objects to: NONSPEECH in which "
        "its detector hears speech, SPEECH in which it hears too little.",
        ("hygiene",),
        section="data",
        in_paper=False,
    ),
}
"""All figures by name; those of one section of the report in its order."""
