"""Which Keras is installed, asked without importing it."""

from importlib.metadata import version

from tfrecords_tools.errors import InputError


def require_keras3(part: str) -> None:
    """Refuse to go on in an environment of the extra `addons`.

    Args:
        part: what needs Keras 3, the start of the message.

    Raises:
        InputError: the Keras installed is older.

    Example:
        >>> require_keras3("warptag.training")
    """
    installed = version("keras")
    if installed.startswith("2."):
        raise InputError(
            f"{part} needs Keras 3, and here is Keras {installed}, which the extra `addons` is "
            "for; of warptag only losses and metrics work with it. Install warptag without "
            "`addons` in another environment."
        )
