"""Calls that a loop of asyncio waits for."""

from __future__ import annotations

import asyncio
import weakref
from contextlib import suppress
from typing import Any, Callable, Mapping, Optional, TypeVar

from .. import _abi, _event, _outcome
from .._call import Blocking
from .._core import Core, Handle, Native
from .._deferred import begin, without_handle
from ._inbox import Call, Inbox

T = TypeVar("T")


class Awaiting(Core):
    """Calls return futures. It belongs to the loop that is running at its first call."""

    __slots__ = ("__weakref__", "_finalizer", "_inbox")

    def __init__(self, native: Native) -> None:
        super().__init__(native)
        self._inbox: Optional[Inbox] = None
        self._finalizer: Optional[Callable[[], Any]] = None

    @property
    def blocking(self) -> Core:
        return Blocking(self.native)

    def inbox(self) -> Inbox:
        """Where calls arrive, in the running loop."""
        loop, inbox = asyncio.get_running_loop(), self._inbox
        if inbox is not None and inbox.loop is loop:
            return inbox
        if inbox is not None and inbox.is_usable:
            raise RuntimeError("the client is in use by another event loop; each needs its own")
        self.detach()
        self._inbox = inbox = Inbox(loop)
        # As a future would: a client that is forgotten leaves nothing in its loop. The inbox has calls,
        # which have this one, so that it is not to be had here.
        self._finalizer = finalizer = weakref.finalize(self, _forget, weakref.ref(inbox))
        setattr(finalizer, "atexit", False)
        return inbox

    def detach(self) -> None:
        """Leaves its loop."""
        if self._inbox is not None:
            self._inbox.close()
        self._inbox = self._finalizer = None

    def do(  # type: ignore[override]
        self,
        finish: Callable[[int], T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> asyncio.Future[T]:
        inbox = self.inbox()
        inbox.next_tag()
        begin(self.native, function, options, arguments, inbox.address)
        return inbox.call(self, without_handle(finish))

    def ask(  # type: ignore[override]
        self,
        read: _event.Read[T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> asyncio.Future[T]:
        inbox = self.inbox()
        inbox.next_tag()
        begin(self.native, function, options, arguments, inbox.address, None)
        return inbox.call(self, read)

    def begin(
        self,
        finish: Callable[[int], T],
        function: Callable[..., int],
        handle: Handle,
        *arguments: Any,
        give_back: Optional[Callable[[], None]] = None,
    ) -> Call[T]:
        """Begins what an object does itself, without options."""
        inbox = self.inbox()
        inbox.next_tag()
        status = function(handle.value, *arguments, inbox.address)
        if status != _abi.CONSUL_PENDING:
            raise _outcome.from_status(status)
        return inbox.call(self, without_handle(finish), give_back)


def _forget(known: weakref.ref[Inbox]) -> None:
    """Closes an inbox from any thread, such as that of the garbage collector."""
    inbox = known()
    if inbox is not None and inbox.is_usable:
        # Its loop may just be closed by another thread.
        with suppress(RuntimeError):
            inbox.loop.call_soon_threadsafe(inbox.close)
