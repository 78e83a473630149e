"""Drift of the questions, the tags and the model's quality, each found by a named test.

This package knows numpy and scipy. It knows nothing about AWS, files or DuckDB.
"""
