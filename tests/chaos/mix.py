"""What the load in calm is made of, for all who make it."""

from __future__ import annotations

from typing import NamedTuple

#: At a set rate one call of so many writes.
WRITE_EVERY = 5
KEYS = [f"chaos/load/{number}" for number in range(100)]
VALUE = "0" * 100


class Timed(NamedTuple):
    """A call, from the moment at which it should have begun."""

    is_write: bool
    began: float
    ended: float
    ok: bool


def is_write(at: int) -> bool:
    """Whether the call of this number writes its key."""
    return at % WRITE_EVERY == WRITE_EVERY - 1


def key(at: int) -> str:
    """The key of the call of this number."""
    return KEYS[at % len(KEYS)]
