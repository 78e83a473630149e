"""Releases: what is live, what was, how to go forward and how to go back."""
