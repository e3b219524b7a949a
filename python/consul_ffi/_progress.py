"""How what the library keeps up is getting on."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, Callable, TypeVar

from . import _abi, _outcome
from ._convert import milliseconds
from ._error import ConsulError
from ._library import lib
from ._memory import text
from .errors import Forked
from .results import Progress

T = TypeVar("T")


def progress(function: Callable[..., int], handle: int | None) -> Progress:
    """Asks one of the library's `_stats` functions."""
    out = c_void_p()
    _outcome.check(function(handle, byref(out)))
    return read(out, _progress)


def shown(function: Callable[..., int], handle: int | None) -> str:
    """How it is, for people: also once it is closed, and in a forked child."""
    if handle is None:
        return "closed"
    try:
        return progress(function, handle).state
    except Forked:
        return "the parent's"


def read(out: c_void_p, make: Callable[[Any], T]) -> T:
    """What `make` makes of the row that a `_stats` function gave, which is freed."""
    try:
        return make(_abi.PROGRESS.read(lib.consul_stats_row(out)))
    finally:
        lib.consul_stats_free(out)


def error(address: int) -> ConsulError | None:
    """An error of the row, if there is one."""
    status = _abi.ERROR.read(address).status
    return _outcome.from_row(status, address) if status else None


def _progress(row: Any) -> Progress:
    return Progress(
        state=text(row.state, row.state_len),
        last_success_ms=milliseconds(row.last_success_ms),
        next_try_ms=milliseconds(row.next_try_ms),
        consecutive_failures=row.consecutive_failures,
        last_error=error(row.last_error),
    )
