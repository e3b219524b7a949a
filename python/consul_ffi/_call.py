"""Calls that wait for their end: their options, their errors, and signals that arrive meanwhile."""

from __future__ import annotations

import time
from ctypes import addressof, c_void_p
from typing import Any, Callable, Mapping, TypeVar

from . import _abi
from ._core import Core, Native, take_up
from ._error import ConsulError
from ._options import opened

T = TypeVar("T")

#: A blocking query may take a sixteenth of its wait more.
_SLACK = 16


class Blocking(Core):
    """Calls return the result."""

    __slots__ = ()

    @property
    def blocking(self) -> Core:
        return self

    def do(
        self,
        finish: Callable[[int], T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> T:
        return finish(_call(self.native, function, options, arguments))

    def ask(
        self,
        read: Callable[[int, int | None], T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> T:
        out = c_void_p()
        try:
            status = _call(self.native, function, options, arguments, addressof(out))
        except ConsulError as error:
            take_up(read, error, out.value)
            raise
        return read(status, out.value)


def _call(
    native: Native,
    function: Callable[..., int],
    options: Mapping[str, Any],
    arguments: tuple[Any, ...],
    *out: int,
) -> int:
    """The status of a call, of which it raises errors. What it gives is put where `out` is."""
    began = time.monotonic()
    if options:
        status = _with(native, function, options, arguments, out)
    else:
        status = function(native.handle.value, *arguments, None, None, *out)
    while status < 0:
        error = native.error(status)
        if status != _abi.CONSUL_ERR_INTERRUPTED or error.outcome_unknown:
            raise error
        # The handler of the signal has run by now. It did not raise, so the call goes on.
        rest = _rest(native, options, began, error)
        status = _with(native, function, rest, arguments, out)
    return status


def _with(
    native: Native,
    function: Callable[..., int],
    options: Mapping[str, Any],
    arguments: tuple[Any, ...],
    out: tuple[int, ...],
) -> int:
    with opened(options) as settings:
        return function(native.handle.value, *arguments, settings, None, *out)


def _rest(
    native: Native, options: Mapping[str, Any], began: float, error: ConsulError
) -> Mapping[str, Any]:
    """The options for what is left of the time of an interrupted call."""
    gone = int((time.monotonic() - began) * 1000)
    rest = dict(options)
    limit = options.get("timeout_ms") or native.timeout_ms
    if options.get("index"):
        wait = options.get("wait_ms") or native.wait_ms
        limit = max(limit, wait + wait // _SLACK)
        rest["wait_ms"] = max(1, wait - gone)
    if gone >= limit:
        raise error
    rest["timeout_ms"] = limit - gone
    return rest
