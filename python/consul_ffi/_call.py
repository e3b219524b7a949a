"""One call into the library: its options, its errors, and signals that arrive meanwhile."""

from __future__ import annotations

import time
from ctypes import byref, c_void_p
from typing import Any, Callable, Mapping

from . import _abi, _outcome
from ._core import Core
from ._error import ConsulError
from ._options import opened

#: A blocking query may take a sixteenth of its wait more.
_SLACK = 16


def do(
    core: Core,
    function: Callable[..., int],
    options: Mapping[str, Any],
    *arguments: Any,
    out: tuple[Any, ...] = (),
) -> int:
    """Calls `function(client, *arguments, options, NULL, *out)` and returns its status; raises when
    that is an error."""
    began = time.monotonic()
    status = _once(core, function, options, arguments, out)
    while status < 0:
        error = _error(core, status)
        if status != _abi.CONSUL_ERR_INTERRUPTED or error.outcome_unknown:
            raise error
        # The handler of the signal has run by now. It did not raise, so the call goes on.
        status = _once(core, function, _rest(core, options, began, error), arguments, out)
    return status


def ask(
    core: Core, function: Callable[..., int], options: Mapping[str, Any], *arguments: Any
) -> tuple[int, int | None]:
    """As `do`, for a function with a result: its status, and the handle of the result."""
    out = c_void_p()
    status = do(core, function, options, *arguments, out=(byref(out),))
    return status, out.value


def _once(
    core: Core,
    function: Callable[..., int],
    options: Mapping[str, Any],
    arguments: tuple[Any, ...],
    out: tuple[Any, ...],
) -> int:
    if not options:
        return function(core.handle.value, *arguments, None, None, *out)
    with opened(options) as settings:
        return function(core.handle.value, *arguments, settings, None, *out)


def _error(core: Core, status: int) -> ConsulError:
    if status == _abi.CONSUL_ERR_HANDLE and core.handle.value is None:
        return _outcome.new(_abi.CONSUL_ERR_CLOSED, "the client was closed")
    return _outcome.from_status(status)


def _rest(
    core: Core, options: Mapping[str, Any], began: float, error: ConsulError
) -> Mapping[str, Any]:
    """The options for what is left of the time of an interrupted call."""
    gone = int((time.monotonic() - began) * 1000)
    rest = dict(options)
    limit = options.get("timeout_ms") or core.timeout_ms
    if options.get("index"):
        wait = options.get("wait_ms") or core.wait_ms
        limit = max(limit, wait + wait // _SLACK)
        rest["wait_ms"] = max(1, wait - gone)
    if gone >= limit:
        raise error
    rest["timeout_ms"] = limit - gone
    return rest
