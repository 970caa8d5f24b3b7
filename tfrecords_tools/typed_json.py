"""Reading JSON files back, with a check of every entry against its type."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import types
from collections.abc import Mapping
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from tfrecords_tools.errors import InputError

#: Whole numbers with a minimum.
Count = Annotated[int, 0]
Positive = Annotated[int, 1]

MISSING = "missing"
_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


class WrongEntry(ValueError):
    """A JSON value does not have the expected type.

    Attributes:
        entry: where it is, such as `splits.train.shards[0].file`; empty for the whole.
        expected: the expected type, in words.
    """

    def __init__(self, entry: str, expected: str, found: Any) -> None:
        found = found if found is MISSING else json.dumps(found)[:60]
        super().__init__(f"{entry or 'the content'} must be {expected}, but is {found}")
        self.entry, self.expected = entry, expected


def read_as(path: str | os.PathLike[str], kind: Any, fix: str) -> Any:
    """The content of a JSON file, as `as_type` returns it.

    Args:
        path: the file.
        kind: the type of its content.
        fix: what to do if the file is damaged, for the message.

    Raises:
        FileNotFoundError, NotADirectoryError: the file does not exist.
        InputError: the file cannot be read, or its content is not of this type.
    """
    try:
        return as_type(json.loads(Path(path).read_text(encoding="utf-8")), kind)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); {fix}") from error
    except RecursionError as error:
        raise InputError(f"{path} is damaged (it is nested too deeply); {fix}") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); {fix}") from error


def as_type(value: Any, kind: Any, entry: str = "") -> Any:
    """A JSON value as a value of a type.

    Args:
        value: what `json.loads` returned.
        kind: `Any`, a scalar type, a `Literal`, a union, `list`, `tuple` or `dict` with the types
            of their items, a dataclass, a `NamedTuple` (a list in JSON), a `TypedDict` (which may
            have more entries), or an int with a minimum, such as `Count`.
        entry: where the value is, for the message.

    Returns:
        The value, with instances of the dataclasses and named tuples.

    Raises:
        WrongEntry: the value has another type.

    Example:
        >>> as_type({"a": [1, 2]}, dict[str, tuple[int, ...]])
        {'a': (1, 2)}
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is Annotated:
        number, minimum = as_type(value, arguments[0], entry), arguments[1]
        if number < minimum:
            raise WrongEntry(entry, f"at least {minimum}", value)
        return number
    if origin is Literal:
        if value not in arguments:
            raise WrongEntry(entry, "one of " + ", ".join(map(str, arguments)), value)
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return as_type(value, arguments[0], entry)
    if origin in (list, tuple) or hasattr(kind, "_fields"):
        return _as_sequence(value, kind, entry)
    if origin is dict:
        items = _require(value, dict, "an object", entry).items()
        return {name: as_type(item, arguments[1], _join(entry, name)) for name, item in items}
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        return _as_object(value, kind, entry)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        # Also refuses a number that is too large.
        value = float(value) if abs(value) < 2**1000 else math.inf
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise WrongEntry(entry, _NAMES[kind], value)
    return value


def _as_sequence(value: Any, kind: Any, entry: str) -> Any:
    items = _require(value, list, "a list", entry)
    arguments = get_args(kind)
    fields = getattr(kind, "_fields", ())
    if fields:
        hints = get_type_hints(kind, include_extras=True)
        arguments = tuple(hints[name] for name in fields)
    elif get_origin(kind) is list or arguments[1:] == (...,):
        arguments = arguments[:1] * len(items)
    if len(items) != len(arguments):
        raise WrongEntry(entry, f"a list of {len(arguments)}", value)
    pairs = enumerate(zip(items, arguments, strict=True))
    read = [as_type(item, one, f"{entry}[{index}]") for index, (item, one) in pairs]
    return kind(*read) if fields else get_origin(kind)(read)


def _as_object(value: Any, kind: Any, entry: str) -> Any:
    content: Mapping[str, Any] = _require(value, dict, "an object", entry)
    hints = get_type_hints(kind, include_extras=True)
    if is_typeddict(kind):
        required = kind.__required_keys__
    else:
        required = {
            field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING
        }
        for name in content:
            if name not in hints:
                raise WrongEntry(_join(entry, name), "left out", content[name])
    for name in hints:
        if name in required and name not in content:
            raise WrongEntry(_join(entry, name), _in_words(hints[name]), MISSING)
    read = {
        name: as_type(content[name], one, _join(entry, name))
        for name, one in hints.items()
        if name in content
    }
    return {**content, **read} if is_typeddict(kind) else kind(**read)


def _in_words(kind: Any) -> str:
    origin = get_origin(kind)
    if origin in (Annotated, Union, types.UnionType):
        return _in_words(get_args(kind)[0])
    return _NAMES.get(kind, "a list" if origin in (list, tuple) else "there")


def _require(value: Any, kind: type, what: str, entry: str) -> Any:
    if not isinstance(value, kind):
        raise WrongEntry(entry, what, value)
    return value


def _join(entry: str, name: str) -> str:
    return f"{entry}.{name}" if entry else name
