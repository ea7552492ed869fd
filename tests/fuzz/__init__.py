"""Every parser of input from outside, fed with broken forms of real answers: no error but ours, no hang, bounded memory.

`python -m tests.fuzz --inputs 100000` runs them all and prints a table; the gate runs a few inputs of each.
"""
