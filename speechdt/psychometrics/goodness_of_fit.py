"""Goodness of fit of a psychometric curve: its deviance against that of clustered trials.

A chi-square test of the deviance takes trials for independent: with a dozen speakers it rejects
curves that are true. Here the deviance is compared with that of replicates for which the curve is
true by construction: the fitted rates, plus what resampling whole groups does to the observed
rates (a bootstrap of recentred residuals, after Davison & Hinkley 1997, section 4.4).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from speechdt.psychometrics import curve

MOST_REPLICATES = 200
"""Each is one more fit; the p-value needs no more digits."""


def misfit_p(fit: curve.Fit, successes: ArrayLike, trials: ArrayLike, guess: ArrayLike) -> float:
    """Return the p-value of the deviance of a curve, clustering allowed for.

    Parameters
    ----------
    fit : Fit
        Curves of the rows of counts; the first is tested.
    successes, trials : (R + 1, L) arrays
        Counts, row 0 as observed, the others resampled over groups.
    guess : (R + 1,) array
        Fixed guess rate of each row.

    Returns
    -------
    float
        Small if the observed rates lie further from the curve than groups differ, and than
        independent trials would (chi-square, two parameters fitted); NaN with three levels or less.
    """
    successes, trials = np.asarray(successes, float), np.asarray(trials, float)
    last = MOST_REPLICATES + 1
    if len(fit.levels) <= 3 or len(successes) < 2:
        return float("nan")
    rates = successes[:last] / trials[:last]
    expected = fit.predict(fit.levels)[0]
    recentred = np.clip(expected + rates[1:] - rates[0], 0, 1)
    counts = np.broadcast_to(trials[0], recentred.shape)
    refitted = curve.fit(fit.levels, recentred * counts, counts, guess=np.asarray(guess)[1:last])
    null = refitted.deviance(recentred * counts, counts)
    observed = fit.deviance(successes, trials)[0]
    as_large = null >= observed * (1 - 1e-9)
    clustered = float(1 + as_large.sum()) / (len(null) + 1)
    # Where no group ever errs there is nothing to resample, and the prior alone makes a deviance.
    return max(clustered, float(chdtrc(len(fit.levels) - 2, observed)))
