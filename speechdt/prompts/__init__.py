"""Prompts: the bank, searches by OPRO and GEPA, and their gain over a baseline prompt.

answer_mass : probability that a language model gives either of its two answers at all.
answer_options : answer options of a question, as lines of its text.
answer_store : store of answers and proposals on disk: an interrupted search repeats no question.
arm : arm of a search: the optimiser or its random control, with its candidates and costs.
asking : dev clips of a search, and a detector that answers each prompt on each clip once.
bank_entries : entries of ``prompts`` in the configuration: a text, or a text and which option is
    SPEECH.
bank : scores of the prompt bank on dev.
candidates : acceptance of proposed prompts: new, in A/B format, clear and short enough.
comparison : comparison of a search's winner with its random control and the baseline, on test.
gepa : prompt search by reflective evolution: the library GEPA (Agrawal et al. 2025, arXiv
    2507.19457).
judge : judgement of prompts by their gain over a baseline prompt on the same clips.
objectives : objectives of a prompt search, as contributions of single clips.
opro : prompt search by OPRO: propose, race, report to the proposer, repeat.
order_answers : answers to a question in both orders of its options, kept so that none is asked for
    twice.
order_bias : effect of the order of a question's options on a language model's answer.
race : race of candidates over blocks of clips: successive halving, finalists on all clips.
run_answers : all that a run is asked once its clips are there, kept for the jobs of each run.
search_job : prompt searches on cell files, and the scores of the prompts that a search found.
settings : settings of a prompt search, with defaults.
winner : substitution of a search's winner for the prompt of a variant.
proposers : the sources of new prompts in a search.
"""
