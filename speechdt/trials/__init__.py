"""Trials: the grid, items, rendering, cell files, balance and the leak audit.

background_origins : origins whose noise is played as a background, and which give no targets in
    that split.
balance : balance of the train set at every size it grows through.
cells : cell files: the trials of one split, SNR and duration as Parquet.
clips : clips by the digest of their FLAC bytes, read on demand.
conditions : conditions, one factor at a time around a neutral clip: items and rendering.
dealing : dealing of sources and crops to items: group by group, or in fair shares.
foils : trials of foils: recordings that are in neither class.
grid : the cells of the experiment, by SNR and duration, and their names.
items : which crop of which source stands before which crop of which background.
leak_audit : proof on the finished trials that no split shares audio with another.
presented : cells as a detector hears them that is trained in a container.
rendering : rendering of trials: an item at one SNR and one duration.
without_corpus : recordings and trials that are left when one corpus is left out.
"""
