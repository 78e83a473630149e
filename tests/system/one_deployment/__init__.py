"""Tests of one deployment, one file after the other: what a file does, the next one finds."""
