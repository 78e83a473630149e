"""A small CloudWatch: reads embedded metrics, computes statistics, evaluates alarms.

It follows what AWS documents, cites it where it does, and refuses what it does not know. Where the
documentation leaves something open, the docstring says so and what was chosen.
"""
