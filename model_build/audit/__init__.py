"""Audit the live model: ask it about a site's newest questions, whose tags nobody suggested.

The askers never saw a suggestion of ours, so their tags are independent of it: no other figure of a
running service is.
"""
