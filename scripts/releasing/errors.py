"""The error of the release commands."""

from scripts.shared.terminal import UserError


class ReleaseError(UserError):
    """A release, rollback or listing is not possible: the message says what to do."""
