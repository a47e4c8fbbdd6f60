"""Corpora: their readers, the index of recordings, hygiene flags, near duplicates and the split.

file_states : contents of files that were read, so that a replaced file is noticed.
flags : flags of hygiene checks, joined to trials at the analysis.
foils : foils: sounds of people that are no speech, in neither class.
hygiene : hygiene flags: NONSPEECH recordings with speech in them, SPEECH recordings with too
    little.
index : index of the corpora: usable recordings with their facts, and rejected ones with the
    reason.
joined_groups : groups that share audio, joined before the split.
labels : contradictory labels: the same audio as SPEECH and as NONSPEECH stops the run.
near_duplicates : search for recordings of nearly the same audio in different splits, or under
    different labels.
rejections : rejected recordings, summarised by reason.
selection : selection of usable recordings: without excluded ones and, if asked, without flagged
    ones.
sources : source: one recording, or one region of a longer one, as its corpus describes it.
shortages : shortages of a corpus, with their cause.
split : split of the sources into train, dev and test, by whole groups.
readers : readers of corpora, by the ``kind`` that the configuration gives them.
unseen : unseen origins: those that stand in test alone, so that nothing was learned from them.
"""
