"""Workflow: the configuration resolved and checked, and the frame of every job.

accepted : results that were made by other code, marked as if the present one had made them.
bases : runs by the base that they share: a checkpoint that one job reads for all of them.
checkout : files of a checkout as the rules name them, and hashes of the code that a rule runs.
conditions : conditions of the configuration: which are played, and which variants hear them.
criteria : criteria that the configuration names (`verdict.criteria`), read and checked before any
    job.
damaged_outputs : damage among all files that jobs have made, set aside once a job has failed over
    some of it.
devices : GPUs of this machine, which each job locks as it claims them.
experiment : frozen records of all that the rules expand over.
holder : holder of a working directory: which run, on which host, since when.
hygiene_checks : hygiene checks of the configuration, resolved before any job starts.
jobs : frame of every job: its log, its GPUs, its line in the manifest, and its errors in one line.
labels : labels of the variants of a configuration, for readers.
last_line : the last line of a run that failed or was interrupted: which job, and why.
left_out_corpora : runs that leave one corpus out, in training and calibration.
manifest : with which parameters each job made its files.
needs : the main memory that a cluster's scheduler is asked for.
own_folder : Snakemake's own folder: its locks, and its records of how each file was made.
paths : paths of a configuration: ``~`` and ``$VARIABLES`` in them.
presentations : presentation of clips to variants, and alternatives to choose from on dev.
products : the files that a run of the workflow makes, from its experiment.
published : published figures, each beside the variants that are of the published kind.
ready_made : ready-made detectors among the variants of an experiment, and pairs of versions of one.
resolution : resolution of a configuration into the records of an experiment.
runs : training runs of the variants, and ensembles of variants.
schema : check of a configuration against its JSON schema, with mistakes said in one line.
searches : prompt searches of the configuration, resolved before any job starts.
settings : a checked copy of the configuration that Snakemake merged, with defaults.
stage_graph : picture of the workflow by stages: the rules of each, and which files go from which
    to which.
timings : rounds of timings, of which `snakemake retime` begins another.
torchrun : start of a script in several processes under torchrun.
unlock : release of a lock that a killed run left: ``python -m speechdt.workflow.unlock``.
variants : variants and adapters of the configuration, with their options resolved and checked.
"""
