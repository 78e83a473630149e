"""What is wrong with a whole file."""


class CorpusError(Exception):
    """A file cannot be read as a corpus; the message names it and says what to do."""
