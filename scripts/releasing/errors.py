"""The one error of the release commands."""


class ReleaseError(Exception):
    """Something that a person can mend: the message says what and how."""
