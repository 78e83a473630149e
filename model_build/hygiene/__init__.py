"""Inspect a corpus before it is trained on: what it holds, and what would distort a model."""
