"""The error of the gate."""


class GateError(Exception):
    """The gate cannot decide, for a reason that the user can change; the message says how."""
