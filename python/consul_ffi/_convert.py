"""Python values as the library takes them. What would lose something is refused."""

from __future__ import annotations

import json
import math
import operator
import os
from typing import Any, Union

from . import _abi, _outcome

#: A time without end.
FOR_EVER = (1 << 64) - 1

#: What a value may be given as; a text is written as UTF-8.
Value = Union[bytes, bytearray, memoryview, str]

#: The name of a file.
FileName = Union[str, "os.PathLike[str]"]


def text(value: str, name: str) -> bytes:
    """A text for C, which would end it at its first NUL: one that has a NUL is refused."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if "\0" in value:
        at = value.index("\0")
        message = f"{name} has a NUL at character {at}, which Consul cannot hold"
        raise _outcome.new(_abi.CONSUL_ERR_ARGUMENT, message)
    return _utf8(value, name)


def _utf8(value: str, name: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        message = f"{name} has half a surrogate pair at character {error.start}, which is no UTF-8"
        raise _outcome.new(_abi.CONSUL_ERR_ARGUMENT, message) from None


def optional_text(value: str | None, name: str) -> bytes | None:
    """A text that may be missing."""
    return None if value is None else text(value, name)


def file_name(value: FileName, name: str) -> bytes:
    """The name of a file."""
    return text(os.fspath(value), name)


def data(value: Value, name: str = "value") -> bytes:
    """A value to be written."""
    if type(value) is bytes:
        return value
    if isinstance(value, str):
        return _utf8(value, name)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"{name} must be bytes or a str, not {type(value).__name__}")


def _unsigned(value: int, name: str, bits: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, not {type(value).__name__}") from None
    if not 0 <= number < 1 << bits:
        message = f"{name} must be from 0 to 2^{bits} - 1, not {number}"
        raise _outcome.new(_abi.CONSUL_ERR_ARGUMENT, message)
    return number


def uint64(value: int, name: str) -> int:
    """A number of 64 bits: ctypes would cut off what is above."""
    return _unsigned(value, name, 64)


def uint32(value: int, name: str) -> int:
    """A number of 32 bits."""
    return _unsigned(value, name, 32)


def flag(value: bool, name: str) -> bool:
    """A truth value, and nothing that only counts as one."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {type(value).__name__}")
    return value


def json_text(value: Any, name: str) -> bytes:
    """What JSON can hold, as JSON. A text is taken as JSON that is written already."""
    return text(value if isinstance(value, str) else json.dumps(value), name)


def milliseconds(number: int) -> float:
    """A time that the library tells, `math.inf` for ever."""
    return math.inf if number == FOR_EVER else number
