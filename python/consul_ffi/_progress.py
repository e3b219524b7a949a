"""How what the library keeps up is getting on."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Callable

from . import _abi, _outcome
from ._convert import milliseconds
from ._library import lib
from ._memory import text
from .results import EndpointStats, Progress


def progress(function: Callable[..., int], handle: int | None) -> Progress:
    """Asks one of the library's `_stats` functions."""
    out = c_void_p()
    _outcome.check(function(handle, byref(out)))
    return _taken(out)[0]


def endpoint(out: c_void_p) -> EndpointStats:
    """What `consul_client_endpoint_stats` gave, which is freed."""
    return _taken(out)[1]


def _taken(out: c_void_p) -> tuple[Progress, EndpointStats]:
    try:
        row = _abi.PROGRESS.read(lib.consul_stats_row(out))
        status = _abi.ERROR.read(row.last_error).status
        known = Progress(
            state=text(row.state, row.state_len),
            last_success_ms=milliseconds(row.last_success_ms),
            next_try_ms=milliseconds(row.next_try_ms),
            consecutive_failures=row.consecutive_failures,
            last_error=_outcome.from_row(status, row.last_error) if status else None,
        )
        endpoint = EndpointStats(
            address=text(row.address, row.address_len),
            state=known.state,
            is_in_use=row.is_in_use,
            requests=row.requests,
            failures=row.failures,
            consecutive_failures=known.consecutive_failures,
            last_answer_ms=known.last_success_ms,
            last_error=known.last_error,
        )
        return known, endpoint
    finally:
        lib.consul_stats_free(out)
