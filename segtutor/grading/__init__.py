"""Grading a class: what was handed in, run apart from all others, judged here, told to each and about all.

    folder --> submissions (whose, which) --> cells --> room (its own home, limits, no network)
           --> worker (cells, answers) --> outcomes as JSON --> points --> tables, feedback, report

Whatever goes wrong belongs to one submission, and a row is on the disk as soon as it is known.
"""
