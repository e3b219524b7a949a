"""Lists of thousands of rows, read column by column: no step of the interpreter is left to a row but
those that make its objects. Row by row they take three quarters more time."""

from __future__ import annotations

from io import BytesIO
from itertools import repeat
from struct import calcsize
from typing import Any, Iterable

from ._memory import MEMORY, VIEW, Layout, text


class Columns:
    """Where the fields are in rows that lie one after the other. There may be fields at the end of
    which this package knows nothing, so the library tells the size of a row."""

    def __init__(self, layout: Layout[Any], size: int) -> None:
        self.size = size
        self.names = layout.fields
        #: Of each field where it begins, its code in the module `struct`, and how many of its size
        #: go into a row.
        self.places = [
            (calcsize(layout.codes[: end + 1]) - calcsize(code), code, size // calcsize(code))
            for end, code in enumerate(layout.codes[1:], 1)
        ]

    def block(self, address: int, count: int) -> Block:
        """So many rows from an address on, one at least. They are read before the library frees
        them."""
        return Block(self, VIEW[address : address + count * self.size])


class Block:
    """Rows of a list. The length of a text or of bytes is the field after it."""

    def __init__(self, columns: Columns, rows: memoryview) -> None:
        self._columns, self._rows = columns, rows

    def numbers(self, field: str) -> list[int]:
        """A column of numbers."""
        return self._column(field).tolist()

    def alike(self, field: str, other: str) -> tuple[list[int], list[int]]:
        """Two columns of numbers that are often the same, and then the same objects."""
        numbers, others = self._column(field), self._column(other)
        made = numbers.tolist()
        return made, made if numbers == others else others.tolist()

    def text_run(self, field: str) -> list[str]:
        """A column of texts that lie one after the other, with a NUL in between."""
        start, end, lengths = self._run(field)
        texts = str(VIEW[start:end], "utf-8").split("\0")
        if len(texts) == len(lengths):
            return texts
        # One of them has a NUL of its own.
        read = BytesIO(MEMORY[start:end]).read
        return [read(length + 1)[:length].decode() for length in lengths]

    def data_run(self, field: str) -> Iterable[bytes]:
        """A column of bytes that lie one after the other."""
        start, end, lengths = self._run(field)
        return map(BytesIO(MEMORY[start:end]).read, lengths.tolist())

    def optional_texts(self, field: str) -> Iterable[str | None]:
        """A column of texts, None for each that is empty, as most are."""
        lengths = self._column(field, 1)
        if lengths.tobytes() == bytes(lengths.nbytes):
            return repeat(None)
        places = zip(self._column(field), lengths)
        return [text(start, length) if length else None for start, length in places]

    def _column(self, field: str, after: int = 0) -> memoryview:
        """A field of all rows, or one after it."""
        start, code, step = self._columns.places[self._columns.names.index(field) + after]
        rows: Any = self._rows[start:]  # Type checkers know no cast to sizes.
        column: memoryview = rows.cast(code)[::step]
        return column

    def _run(self, field: str) -> tuple[int, int, memoryview]:
        """Where the first begins and the last ends that a column points to, and their lengths."""
        starts, lengths = self._column(field), self._column(field, 1)
        return starts[0], starts[-1] + lengths[-1], lengths
