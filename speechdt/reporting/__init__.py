"""Tables, figures and pages of a run, made of files alone.

tables : CSV tables of results, and the same as text (modules that end in ``_text``).
figures : figures of the report and of the paper, and their catalogue.
pages : report, errors page, inspection page, cards, paper and release.
"""
