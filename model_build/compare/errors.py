"""The error of a comparison."""


class CompareError(Exception):
    """A comparison is not possible, for a reason that the user can change; the message says how."""
