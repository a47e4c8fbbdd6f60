"""Psychometrics: curves and surfaces, their fits, thresholds and differences of thresholds.

comparison : paired comparison of DT75: the difference of two variants' thresholds in dB.
curve : psychometric curve: the rate of an answer as a function of level, and its thresholds.
goodness_of_fit : goodness of fit of a psychometric curve: its deviance against that of clustered
    trials.
guess_rate : SPEECH decisions on catch trials (background alone).
maximise : maximum of the posterior of psychometric curves, for whole batches of curves.
posterior : log posterior of psychometric curves, its gradient and its information.
surface : psychometric surface over SNR and duration, and its trade of one for the other.
thresholds : detection thresholds of a variant: DT50 and DT75 with intervals, pooled and by slice.
"""
