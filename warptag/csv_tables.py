"""Reading CSV files of numbers back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tfrecords_tools.errors import InputError


def read_numbers(path: Path, columns: Sequence[str], fix: str) -> pd.DataFrame:
    """A CSV file that has at least one row, and numbers in these columns.

    Args:
        path: the file.
        columns: the names of the columns that must be there; it may have others.
        fix: what to do if the file is damaged, for the message.

    Raises:
        InputError: the file cannot be read, or its content is another.
    """
    try:
        table = pd.read_csv(path)
        if table.empty:
            raise ValueError("it has no rows")
        for name in columns:
            if name not in table:
                raise ValueError(f"it has no column {name}")
            if table[name].dtype.kind not in "if" or table[name].isna().any():
                raise ValueError(f"the column {name} must hold numbers")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); {fix}") from error
    except ValueError as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise InputError(f"{path} is damaged ({reason}); {fix}") from error
    return table
