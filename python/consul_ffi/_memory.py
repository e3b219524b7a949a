"""Reads what the library points to."""

from __future__ import annotations

import sys
from ctypes import c_char, c_char_p, string_at
from struct import Struct
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
_new: Any = tuple.__new__

#: The memory of this process as one array: `MEMORY[start:end]` copies bytes. A slice takes about
#: 0.15 us and needs no object on the way; `ctypes.string_at` takes 0.6 us, a structure's field
#: more. Only for addresses that the library gave, while what they belong to is not freed.
MEMORY = cast(bytes, (c_char * sys.maxsize).from_address(0))

#: The same without copying: `VIEW[start:end]` is the memory itself.
VIEW = memoryview(MEMORY).cast("B")


class Layout(Generic[T]):
    """A kind of row: `read(address)` gives its fields as a named tuple."""

    def __init__(self, row: type[T], codes: str) -> None:
        self._row = row
        #: The names of its fields, and their codes in the module `struct`.
        self.fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
        self.codes = codes
        self.unpack_from = Struct(codes).unpack_from

    def read(self, address: int) -> T:
        """The row at an address; TypeError for None, which the library gives where there is
        none."""
        # What `_make` of a named tuple does, without a function of Python's.
        row: T = _new(self._row, self.unpack_from(MEMORY, address))
        return row


def text(address: int, length: int) -> str:
    """A text of a row."""
    return MEMORY[address : address + length].decode()


def optional(address: int, length: int) -> str | None:
    """A text of a row, None when it is empty."""
    return MEMORY[address : address + length].decode() if length else None


def c_text(address: int | None) -> str:
    """A text that ends with a NUL; empty for NULL."""
    return string_at(address).decode() if address else ""


def pointers(address: int, count: int) -> tuple[int, ...]:
    """An array of pointers."""
    return Struct(f"@{count}P").unpack_from(MEMORY, address) if count else ()


def texts(address: int, count: int) -> tuple[str, ...]:
    """An array of texts that end with a NUL."""
    if not count:
        return ()
    cells = cast("list[bytes]", (c_char_p * count).from_address(address)[:])
    return tuple(each.decode() for each in cells)


def mapping(names: int, values: int, count: int) -> dict[str, str]:
    """Texts by their names, which stand in two arrays."""
    return dict(zip(texts(names, count), texts(values, count)))
