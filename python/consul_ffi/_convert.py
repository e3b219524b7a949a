"""Python values as the library takes them. What would lose something is refused."""

from __future__ import annotations

import json
import math
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, Union

from . import _abi, _outcome

T = TypeVar("T")
U = TypeVar("U")

#: A time without end.
FOR_EVER = (1 << 64) - 1

#: What a value may be given as; a text is written as UTF-8.
Value = Union[bytes, bytearray, memoryview, str]

#: The name of a file.
FileName = Union[str, "os.PathLike[str]"]


def wrong(value: object, name: str, allowed: str) -> TypeError:
    """Says what is wrong with an argument."""
    return TypeError(f"{name} must be {allowed}, not {type(value).__name__}")


def text(value: str, name: str) -> bytes:
    """A text for C, which would end it at its first NUL: one that has a NUL is refused."""
    if not isinstance(value, str):
        raise wrong(value, name, "a str")
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
    if not isinstance(value, (str, os.PathLike)):
        raise wrong(value, name, "a str or a path")
    return text(os.fspath(value), name)


def data(value: Value, name: str = "value") -> bytes:
    """A value to be written."""
    if type(value) is bytes:
        return value
    if isinstance(value, str):
        return _utf8(value, name)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise wrong(value, name, "bytes or a str")


def pairs(value: Mapping[str, T], name: str, of: str = "texts") -> Iterable[tuple[str, T]]:
    """What a mapping has by names."""
    if not isinstance(value, Mapping):
        raise wrong(value, name, f"a mapping of names to {of}")
    return value.items()


def elements(value: Iterable[T], name: str, of: str = "texts") -> list[T]:
    """What a list has. A lone text is refused: it is a list of letters to Python."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise wrong(value, name, f"a list of {of}")
    return list(value)


def two(value: tuple[T, U], name: str, what: str) -> tuple[T, U]:
    """Two that belong together."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise wrong(value, name, what)
    first, second = value
    return first, second


def _unsigned(value: int, name: str, bits: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise wrong(value, name, "an int") from None
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
        raise wrong(value, name, "a bool")
    return value


def json_text(value: Any, name: str) -> bytes:
    """What JSON can hold, as JSON. A text is taken as JSON that is written already."""
    try:
        return text(value if isinstance(value, str) else json.dumps(value), name)
    except TypeError as error:
        raise TypeError(f"{name} must be what JSON can hold: {error}") from None


def milliseconds(number: int) -> float:
    """A time that the library tells, `math.inf` for ever."""
    return math.inf if number == FOR_EVER else number
