"""What stops a collection."""

from model_build.errors import UserError


class CollectError(UserError):
    """Questions cannot be collected; the message says why and what to do next."""


class QuotaUsedUpError(CollectError):
    """The API answers no more requests today. What was collected so far is on disk."""
