"""The error of the gate."""

from model_build.errors import UserError


class GateError(UserError):
    """The gate cannot decide, for a reason that the user can change; the message says how."""
