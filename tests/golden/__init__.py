"""Golden files: what the ranking rules make of fixed texts, with a small synthetic model.

A change of any rule changes one of these files. `python -m tests.golden` writes them again, and
only after `ANALYZER_VERSION` was raised.
"""
