"""Psychometrics: curves and surfaces, their fits, thresholds and differences of thresholds.

comparison : paired comparison of DT75: the difference of two variants' thresholds in dB.
conditions : how well a variant tells speech in each condition, and how far its DT75 moves.
curve : psychometric curve: the rate of an answer as a function of level, and its thresholds.
decided : SPEECH decisions of one training run, under every draw of groups and decision thresholds.
existence : whether a curve has a threshold at all: whether there is a rise that could reach a
    proportion.
goodness_of_fit : goodness of fit of a psychometric curve: its deviance against that of clustered
    trials.
guess_rate : SPEECH decisions on catch trials (background alone).
interpolation : thresholds by linear interpolation, and why they differ from fitted ones.
matched_hits : hit rate at matched false alarms: one point of the ROC curve, for resampled groups.
maximise : maximum of the posterior of psychometric curves, for whole batches of curves.
played_twice : thresholds along duration of variants that hear speech twice.
posterior : log posterior of psychometric curves, its gradient and its information.
published_bank : the author's published protocol: accuracies over conditions, and thresholds.
rates : rates behind psychometric curves, as observed and under every draw of groups and criteria.
steadied : curves of a part of the trials, with as many replicates as the bounds of their
    thresholds need.
strata : parts of the test trials that have a curve of their own, and where their criteria come
    from.
surface : psychometric surface over SNR and duration, and its trade of one for the other.
thresholds : detection thresholds of a variant: DT50 and DT75 with intervals, pooled and by slice.
"""
