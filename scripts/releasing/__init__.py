"""Releases and rollbacks of a deployed function."""
