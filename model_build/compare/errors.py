"""The error of a comparison."""

from model_build.errors import UserError


class CompareError(UserError):
    """A comparison is not possible, for a reason that the user can change; the message says how."""
