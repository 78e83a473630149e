"""What stops an audit."""


class AuditError(Exception):
    """The live model cannot be audited; the message says why and what to do."""
