"""Tables of results.

latency, matrix, operating_points, training, verdict : tables of numbers.
skill : marks and notes of variants that show no skill.
criteria, decision_tree, measured : the plan's criteria, its decision tree, and measured figures.
conditions_text, data_text, error_rates_text, foils_text, latency_text, levels_text, matrix_text,
operating_points_text, origins_text, prompts_text, statistics_text, thresholds_text, training_text,
verdict_text : tables of strings.
formatting : numbers, intervals and thresholds as text.
levels : tables of levels: AUC against level, and what dev chose.
markup : tables of strings as Markdown and LaTeX.
reading : CSV files with the types of their columns.
"""
