"""Statistics: bootstrap, calibration, metrics by slice, comparisons and error rates.

auc_comparison : paired comparison of variants in the area under the ROC curve.
bootstrap : clustered bootstrap: intervals from resampling whole groups, each class by itself.
calibration : decision threshold and calibration of a detector's scores, learned on dev.
cases : cheapest variant of each case: one SNR, duration, background and cost of an alarm.
comparison : paired comparison of variants on the same trials: difference, interval, permutation
    p.
criterion : decision threshold, chosen on dev and again on the groups of each replicate.
error_rates : error rates of all variants on the same test trials, and which errors they share.
families : families of tests, corrected within each, and the words that their p-values may carry.
foils : false alarms on foils, by kind.
formulas : metrics as functions of sums over trials, as they are and for each replicate.
label_audit : recordings whose label all detectors contradict where hearing is easiest.
leave_one_out : loss of a detector on a corpus that it has learned nothing from:
    tables/leave_one_out.csv.
limits : limits of figures that resampling cannot move: rates of 0 and 1, metrics made of these.
metrics : metrics of a set of trials, for the trials as they are and for resampled groups.
operating_points : operating points that people deploy: hit rates at few false alarms, vendors'
    thresholds, DCF.
roc : receiver operating characteristic of weighted groups: the observed curve and its replicates.
score_shares : spread of the scores of each class: shares of its trials by P(speech).
slices : metrics of one variant by slice of the test trials.
threshold_sensitivity : balanced accuracy with the threshold moved, and at its best on test.
threshold_variance : spread that the choice of decision thresholds adds to a difference of
    balanced accuracy.
versions : comparison of two versions of one detector on the same trials.
within_origins : within origins: the AUC over pairs of trials that come from the same place.
"""
