"""Handles of the library, when they end, and how a client calls."""

from __future__ import annotations

import atexit
import time
import weakref
from typing import Any, Callable, Mapping, TypeVar

from . import _abi, _outcome
from ._background import Departure, sweep
from ._error import ConsulError
from ._library import lib

T = TypeVar("T")

#: All that is still open when the program ends may take this long together.
EXIT_LIMIT_MS = 1000


class Handle:
    """A handle that is freed once: when it is closed, or when nobody knows it any more. What it
    `needs` stays until then, also when all are forgotten together."""

    __slots__ = ("__weakref__", "_finalizer", "value")

    def __init__(
        self, value: int | None, free: Callable[[int | None], None], *needs: object
    ) -> None:
        #: What the library takes; None, which it refuses, once it is closed.
        self.value = value
        # The finalizer has what is needed: as an attribute it could go before the handle does.
        self._finalizer = weakref.finalize(self, _free, free, value, needs)
        # At exit the library may be in use by other threads; clients end in `_close_clients`.
        setattr(self._finalizer, "atexit", False)  # of which type checkers know nothing

    def close(self) -> None:
        """Frees it; harmless when it was done before."""
        self.value = None
        self._finalizer()

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy would free what is in use, and in another process it would be somebody else's.
        raise TypeError(
            "what consul_ffi has open in this process cannot be pickled or deeply copied: "
            "make a client of its own in the other process"
        )


def _free(free: Callable[[int | None], None], value: int | None, _needs: object) -> None:
    free(value)


class Native:
    """The native client, which everything that was made from a client keeps alive."""

    __slots__ = ("__weakref__", "_departure", "handle", "timeout_ms", "wait_ms")

    def __init__(self, value: int | None, timeout_ms: int, wait_ms: int) -> None:
        self._departure = Departure()
        self.handle = Handle(value, self._departure)
        self.timeout_ms = timeout_ms
        self.wait_ms = wait_ms
        _open.add(self)

    def own(
        self, value: int | None, free: Callable[[int | None], None], *needs: object
    ) -> Handle:
        """The handle of something that this client made and that has something at Consul: freed
        before the client and what it needs, it is given back in the background."""
        self._departure.gives_back = True
        return Handle(value, free, self, *needs)

    def close(self, timeout_ms: int) -> None:
        """Gives back what it holds at Consul, and ends it; harmless when it was done before."""
        if self.handle.value is None:
            return
        try:
            _outcome.check(lib.consul_client_close(self.handle.value, timeout_ms))
        finally:
            self.free()

    def free(self) -> None:
        """Ends it at once, when it was closed."""
        self._departure.gives_back = False
        self.handle.close()

    def check(self, status: int) -> None:
        """Raises unless a call is done."""
        if status:
            raise self.error(status)

    def error(self, status: int) -> ConsulError:
        """The error behind the status of a call."""
        if status == _abi.CONSUL_ERR_HANDLE and self.handle.value is None:
            return _outcome.new(_abi.CONSUL_ERR_CLOSED, "the client was closed")
        return _outcome.from_status(status)


class Core:
    """How a client calls the library. Everything that calls is written once, in terms of `do` and
    `ask`: what they return is the result, or what will have it."""

    __slots__ = ("handle", "native")

    def __init__(self, native: Native) -> None:
        self.native = native
        self.handle = native.handle

    @property
    def blocking(self) -> Core:
        """The one of the same client that waits."""
        raise NotImplementedError

    def do(
        self,
        finish: Callable[[int], T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> T:
        """Calls `function(client, *arguments, options, async)`. The result is what `finish` makes
        of the status, unless that is an error, which is raised."""
        raise NotImplementedError

    def ask(
        self,
        read: Callable[[int, int | None], T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> T:
        """As `do`, for a function that gives an object: `read` gets its handle too, and frees
        it."""
        raise NotImplementedError


def take_up(read: Callable[..., Any], error: ConsulError, handle: int | None) -> None:
    """Has an error take up what came with it, where `read` knows of such a thing: its `refuse` gets the
    error and the object's handle, and frees that."""
    refuse = getattr(read, "refuse", None)
    if refuse is not None and handle is not None:
        refuse(error, handle)


_open: weakref.WeakSet[Native] = weakref.WeakSet()


def _close_clients() -> None:
    """Gives locks and sessions back when the program ends, so that nobody waits for their TTL."""
    end = time.monotonic() + EXIT_LIMIT_MS / 1000
    # In a forked child those of its parent, too: they give back what the child took by them.
    for native in list(_open):
        left = max(0, int((end - time.monotonic()) * 1000))
        lib.consul_client_close(native.handle.value, left)
        native.free()
    sweep(end)


atexit.register(_close_clients)
