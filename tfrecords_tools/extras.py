"""Optional dependencies: an error that says how to install what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtraError(ImportError):
    """A package of an extra is not installed.

    Attributes:
        extra: the name of the extra, such as "tensorflow".
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; install it with: pip install 'warptag[{extra}]'",
            name=package,
        )
        self.extra = extra


@contextmanager
def requires(extra: str) -> Iterator[None]:
    """Imports in the block need the packages of an extra.

    Raises:
        MissingExtraError: a package is not installed.

    Example:
        >>> with requires("tensorflow"):
        ...     import tensorflow
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "warptag", "tfrecords_tools"):
            raise
        raise MissingExtraError(package, extra) from error
