"""Detectors: the plugin contract, calls and scores, decisions, ensembles and latency.

answer_files : files of answers by name: which run, split and cell each belongs to.
call : one call of a detector, with its answers checked.
choice : choices on dev: level, container and options under which a detector is best.
condition_giveaways : give-away classifiers in conditions.
conditions : scores in conditions, and trials joined with scores and decisions.
containment : containment of plugin calls: logged output, one-line errors, checked answers.
contract : contract between the workflow and a speech detector.
decisions : decisions of detectors on trials, from scores and calibration.
ensemble : scores of an ensemble, from the scores of its members.
exchange : messages between this process and a detector in another environment.
frame_scores : common parts of detectors that answer frame by frame: samples, frames, pooling.
giveaways : give-away classifiers: detectors that see level, bandwidth or spectrum alone.
hearing : presentation layer between stored clips and a detector.
isolated : detectors in environments of their own: other packages, other versions of them.
kept_adapters : adapters that were trained before, by their settings, data and code.
latency : latency of a detector: one clip at a time by stage, and many at a time.
level_probe : level as an axis: AUC on dev at each of some levels.
machine_load : load that others put on this machine while something is timed.
packages : packages that a detector needs, which may be missing or broken.
parts : parts of a job: every n-th cell or recording, each with a store of its own.
plugins : discovery of detectors in a folder's files and in packages with a ``speechdt`` entry
    point.
recordings : scores of whole recordings, for hygiene checks.
scoring : scores of cells by a detector, each clip scored once.
shared_base : detectors in turn on one base: a checkpoint that is read once.
shared_latency : latencies of detectors on one base; a killed job goes on where it was.
signature : options of a variant, checked against the signature of its detector.
stages : time spent in the named stages of a detector (``load``, ``features``, ``forward``,
    ``post``).
worker : a detector in an environment of its own, in the process of that.
"""
