"""Figures.

catalogue : titles, captions and tables of all figures.
draw : drawing by name.
comparison, conditions, confusion, heatmap, hygiene, pareto, presentation, prompts, psychometric,
reliability, roc, surface, training : one or two figures each, functions from tables to a matplotlib
figure.
levels, strip : parts of the psychometric figures.
style : the look of all.
"""
