"""The one exception for input that a user can mend."""


class InputError(ValueError):
    """Something is wrong with the user's files or settings.

    The message names the file, what was expected and how to mend it; command lines print it
    without a traceback.
    """
