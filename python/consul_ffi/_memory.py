"""Reads what the library points to."""

from __future__ import annotations

import sys
from ctypes import c_char, c_char_p, string_at
from struct import Struct, calcsize
from typing import Generic, TypeVar, cast

T = TypeVar("T")

#: The memory of this process as one array: `MEMORY[start:end]` copies bytes. A slice takes about
#: 0.15 us and needs no object on the way; `ctypes.string_at` takes 0.6 us, a structure's field
#: more. Only for addresses that the library gave, while what they belong to is not freed.
MEMORY = cast(bytes, (c_char * sys.maxsize).from_address(0))


class Layout(Generic[T]):
    """A kind of row: `read(address)` gives its fields as a named tuple."""

    def __init__(self, row: type[T], layout: str) -> None:
        self._make = row._make  # type: ignore[attr-defined]
        self._layout = layout
        self.unpack_from = Struct(layout).unpack_from

    def of_size(self, size: int) -> Struct:
        """How rows lie one after the other that may have fields at their end of which this package
        knows nothing."""
        return Struct(f"{self._layout}{size - calcsize(self._layout)}x")

    def read(self, address: int) -> T:
        """The row at an address; TypeError for None, which the library gives where there is
        none."""
        row: T = self._make(self.unpack_from(MEMORY, address))
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
