"""Corpora: their readers, the index of recordings, hygiene flags, near duplicates and the split.

flags : flags of hygiene checks, joined to trials at the analysis.
hygiene : hygiene flags: NONSPEECH recordings with speech in them, SPEECH recordings with too
    little.
index : index of the corpora: usable recordings with their facts, and rejected ones with the
    reason.
near_duplicates : search for recordings that are nearly the same audio under different names.
selection : selection of usable recordings: without excluded ones and, if asked, without flagged
    ones.
sources : source: one recording, or one region of a longer one, as its corpus describes it.
split : split of the sources into train, dev and test, by whole groups.
readers : readers of corpora, by the ``kind`` that the configuration gives them.
"""
