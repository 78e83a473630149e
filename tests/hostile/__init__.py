"""Hostile input: requests, questions, bundles, events and files that nobody sends by mistake.

In a run of all tests, these tests are a sample. `scripts/bench hostile` runs them in full.
"""
