"""Pages, cards and folders for people.

report : report.html, a list of sections.
errors_page, errors_cards : errors.html.
inspection, condition_cards : corpus/inspect.html.
dataset_card : trials/README.md.
paper, paper_tables, paper_numbers, typesetting : paper/.
release, release_provenance : release/.
citation, clip_player, parts : parts that several pages have.
environment : the templates, in one jinja environment for each kind of page.
"""
