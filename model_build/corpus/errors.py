"""What is wrong with a whole file."""

from model_build.errors import UserError


class CorpusError(UserError):
    """A file cannot be read as a corpus; the message names it and says what to do."""
