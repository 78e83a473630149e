"""What stops an audit."""

from model_build.errors import UserError


class AuditError(UserError):
    """The live model cannot be audited; the message says why and what to do."""
