"""Prometheus for a server of one's own: its configuration, its rules, and what writes them."""
