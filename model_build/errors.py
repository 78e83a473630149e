"""The base of all errors that a user can fix."""


class UserError(Exception):
    """Something that the user can fix; the message names it and says what to do.

    Commands print the message as one line. Any other exception is a fault of the program, and ends
    in a traceback.
    """
