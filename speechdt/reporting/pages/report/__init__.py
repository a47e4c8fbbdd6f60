"""The report of a run: one page of sections, each made from the tables by a function of its own."""
