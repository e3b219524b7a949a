"""How what the library keeps up is getting on."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Callable

from . import _abi, _outcome
from ._convert import milliseconds
from ._library import lib
from ._memory import text
from .results import Progress


def progress(function: Callable[..., int], handle: int | None) -> Progress:
    """Asks one of the library's `_stats` functions."""
    out = c_void_p()
    _outcome.check(function(handle, byref(out)))
    try:
        row = _abi.PROGRESS.read(lib.consul_stats_row(out))
        status = _abi.ERROR.read(row.last_error).status
        return Progress(
            state=text(row.state, row.state_len),
            last_success_ms=milliseconds(row.last_success_ms),
            next_try_ms=milliseconds(row.next_try_ms),
            consecutive_failures=row.consecutive_failures,
            last_error=_outcome.from_row(status, row.last_error) if status else None,
        )
    finally:
        lib.consul_stats_free(out)
