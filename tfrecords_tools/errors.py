"""Errors that a user can fix. Command lines print their messages without a traceback."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Something is wrong with the user's files or settings.

    The message names the file, what was expected and how to fix it.
    """


class OtherDataset(InputError):
    """A folder holds another data set than the one to be written.

    Attributes:
        directory: the folder.
        field: what differs: a field of `DatasetInfo`, such as `"settings"`, or `"files"` if the
            folder holds record files without a description.
    """

    def __init__(self, message: str, directory: Path, field: str) -> None:
        super().__init__(message)
        self.directory, self.field = directory, field


class DamagedDataset(InputError):
    """A file of a data set is missing or damaged.

    Attributes:
        path: the file.
    """

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


class TooManyRejected(InputError):
    """More images than allowed are damaged.

    Attributes:
        num_rejected: the number of damaged images so far.
        num_allowed: the number that is allowed.
    """

    def __init__(self, message: str, num_rejected: int, num_allowed: int) -> None:
        super().__init__(message)
        self.num_rejected, self.num_allowed = num_rejected, num_allowed
