"""Calls that do not wait: they begin, and their end arrives in a queue."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, Callable, Mapping

from . import _abi
from ._core import Core, Handle, Native
from ._library import lib
from ._options import opened
from ._outcome import check


def new_queue(max_in_flight: int | None = None) -> Handle:
    """Makes a queue."""
    out = c_void_p()
    check(lib.consul_queue_new(byref(out)))
    queue = Handle(out.value, lib.consul_queue_free)
    if max_in_flight is not None:
        check(lib.consul_queue_set_max_in_flight(queue.value, max_in_flight))
    return queue


def begin(
    native: Native,
    function: Callable[..., int],
    options: Mapping[str, Any],
    arguments: tuple[Any, ...],
    request: int,
    *out: None,
) -> None:
    """Begins a call; raises when it does not. `request` is the address of its `Async`."""
    if options:
        with opened(options) as settings:
            status = function(native.handle.value, *arguments, settings, request, *out)
    else:
        status = function(native.handle.value, *arguments, None, request, *out)
    if status != _abi.CONSUL_PENDING:
        raise native.error(status)


def without_handle(finish: Callable[[int], Any]) -> Callable[[int, int | None], Any]:
    """The end of a call that gives no object."""
    return lambda status, _handle: finish(status)
