"""The addresses of a client: how they are getting on, and when that changes."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any

from . import _abi, _outcome
from ._convert import milliseconds
from ._library import lib
from ._memory import text
from ._progress import error, read
from .queue import Queue, Ticket
from .results import EndpointChange, EndpointStats

_STATES = {
    _abi.CONSUL_ENDPOINT_UP: "up",
    _abi.CONSUL_ENDPOINT_NO_LEADER: "no leader",
    _abi.CONSUL_ENDPOINT_DOWN: "down",
}


def endpoints(client: int | None) -> list[EndpointStats]:
    """How the addresses of a client are getting on."""
    found = []
    for position in range(lib.consul_client_endpoint_count(client)):
        out = c_void_p()
        _outcome.check(lib.consul_client_endpoint_stats(client, position, byref(out)))
        found.append(read(out, _stats))
    return found


def _stats(row: Any) -> EndpointStats:
    return EndpointStats(
        address=text(row.address, row.address_len),
        state=text(row.state, row.state_len),
        is_in_use=row.is_in_use,
        requests=row.requests,
        failures=row.failures,
        consecutive_failures=row.consecutive_failures,
        last_answer_ms=milliseconds(row.last_success_ms),
        last_error=error(row.last_error),
        in_flight=row.in_flight,
        connections=row.connections,
    )


def set_queue(client: int | None, queue: Queue | None) -> Ticket[list[EndpointChange]] | None:
    """Has the changes arrive in a queue."""
    function = lib.consul_client_set_endpoint_queue
    if queue is None:
        _outcome.check(function(client, None, 0))
        return None
    return queue.follow(
        take_changes, lambda tag: _outcome.check(function(client, queue.handle, tag))
    )


def take_changes(_status: int, handle: int | None) -> list[EndpointChange]:
    """What an event tells."""
    try:
        places = range(lib.consul_endpoint_changes_count(handle))
        return [_change(lib.consul_endpoint_changes_at(handle, place)) for place in places]
    finally:
        lib.consul_endpoint_changes_free(handle)


def _change(address: int) -> EndpointChange:
    row = _abi.ENDPOINT_CHANGE.read(address)
    return EndpointChange(
        address=text(row.address, row.address_len),
        state=_STATES.get(row.condition, "unknown"),
        state_before=_STATES.get(row.condition_before, "unknown"),
        is_in_use=row.is_in_use,
        was_in_use=row.was_in_use,
        changes=row.changes,
        reason=error(row.reason),
    )
