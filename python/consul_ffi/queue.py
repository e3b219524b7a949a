"""Calls that do not wait, for a program with a loop of its own: `Queue` and `client.on(queue)`.

    queue = consul_ffi.Queue()
    later = client.on(queue)
    for key in keys:
        later.kv.get(key)
    for ticket in queue:                    # in the order in which they end
        print(ticket.result())

A call through `client.on(queue)` checks what it is given, begins and returns a Ticket. `asyncio` has a
client of its own: `consul_ffi.aio`.
"""

from __future__ import annotations

import itertools
import weakref
from ctypes import addressof, byref, c_void_p
from typing import TYPE_CHECKING, Any, Callable, Generic, Iterator, Mapping, Optional, TypeVar

from . import _abi, _event, _outcome, _wait, request
from ._async import Async
from ._call import Blocking
from ._closing import Closing
from ._convert import uint32
from ._core import Core, Native
from ._deferred import begin, new_queue, without_handle
from ._error import ConsulError
from ._library import lib
from ._outcome import check
from .errors import Cancelled, Closed

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._settings import CallOptions
    from ._ticketed import (
        Acl,
        Agent,
        Catalog,
        Events,
        Health,
        Kv,
        Operator,
        Sessions,
        Snapshots,
        Status,
        Txn,
    )
    from .request import Parameter
    from .results import Response
else:
    from .acl import Acl
    from .agent import Agent
    from .catalog import Catalog
    from .event import Events
    from .health import Health
    from .kv import Kv
    from .operator import Operator
    from .session import Sessions
    from .snapshot import Snapshots
    from .status import Status
    from .txn import Txn

T = TypeVar("T")


class Ticket(Generic[T]):
    """A call that has begun. Its attributes are the program's own to set."""

    _result: T

    def __init__(self, queue: Queue, tag: int, read: _event.Read[T]) -> None:
        # Weak, so that a queue that is forgotten ends.
        self._queue, self._tag, self._read = weakref.ref(queue), tag, read
        self._error: Optional[Exception] = None
        self._done = False

    @property
    def _handle(self) -> Optional[int]:
        """That of its queue, None once it has ended."""
        queue = self._queue()
        return None if queue is None else queue.handle

    @property
    def done(self) -> bool:
        """Whether it has come from its queue, or does not come any more since that was closed or
        forgotten."""
        if not self._done and self._handle is None:
            self._error = _outcome.new(_abi.CONSUL_ERR_CLOSED, "the queue was closed")
            self._done = True
        return self._done

    @property
    def error(self) -> Optional[Exception]:
        """What the blocking call would have raised, Closed when its queue has ended before it came;
        None when it went well, or is not done."""
        return self._error if self.done else None

    def result(self) -> T:
        """What the blocking call would have returned; raises what it would have raised, or Closed when
        its queue has ended before it came. It does not wait: RuntimeError before the ticket has come
        from its queue."""
        if not self.done:
            raise RuntimeError("the call has not ended: its ticket comes from the queue then")
        if self._error is not None:
            raise self._error
        return self._result

    def cancel(self) -> None:
        """Cancels the call: its ticket comes at once, with Cancelled unless it had ended."""
        check(lib.consul_queue_cancel(self._handle, self._tag))

    def _end(self, event: int) -> None:
        self._error = None
        try:
            self._result = _event.result(event, self._read)
        except Exception as error:  # raised where the result is asked for
            self._error = error
        self._done = True


class Queue(Closing):
    """Where calls arrive when they end. Any number of threads may use it at once.

    It has a `fileno()` for `select` and `selectors`, readable as long as tickets wait: it is only to
    be polled. As a context manager it is closed at the end of the block."""

    def __init__(self, *, max_in_flight: Optional[int] = None) -> None:
        """`max_in_flight` calls may have begun and not been taken at once, 1024 otherwise; one more
        raises Busy."""
        most = None if max_in_flight is None else uint32(max_in_flight, "max_in_flight")
        self._handle = new_queue(most)
        self._tags = itertools.count(1)
        self._tickets: dict[int, Ticket[Any]] = {}
        self._followed: dict[int, Ticket[Any]] = {}
        self._wakes = 0

    @property
    def handle(self) -> Optional[int]:
        """The library's handle, None once it is closed."""
        return self._handle.value

    def begin(self, read: _event.Read[T], call: Callable[[int], None]) -> Ticket[T]:
        """The ticket of a call that is begun here, with the address of its `Async`."""
        if self.handle is None:
            raise _outcome.new(_abi.CONSUL_ERR_CLOSED, "the queue was closed")
        tag = next(self._tags)
        # Before it begins, since another thread may take its end at once.
        ticket = self._tickets[tag] = Ticket(self, tag, read)
        request = Async(self.handle, tag)
        try:
            call(addressof(request))
        except BaseException:
            del self._tickets[tag]
            raise
        return ticket

    def follow(self, read: _event.Read[T], start: Callable[[int], None]) -> Ticket[T]:
        """The ticket of something that is started here under a tag, and arrives again and again
        until it is cancelled."""
        tag = next(self._tags)
        ticket = self._followed[tag] = Ticket(self, tag, read)
        try:
            start(tag)
        except BaseException:
            del self._followed[tag]
            raise
        return ticket

    def next(self, timeout_ms: Optional[int] = None) -> Optional[Ticket[Any]]:
        """The ticket of the next call that has ended; waits for it so long at most, with None for
        ever, with 0 not at all. None when there was none, or somebody called `wake`."""
        end, wakes, out = _wait.end(timeout_ms), self._wakes, c_void_p()
        while True:
            left = _wait.left_ms(end)
            status = lib.consul_queue_next(self.handle, _wait.slice_ms(left), byref(out))
            if status == _abi.CONSUL_OK:
                ticket = self._taken(out.value)
                if ticket is not None:
                    return ticket
            elif status != _abi.CONSUL_NO_CHANGE:
                raise _outcome.from_status(status)
            elif left <= 0 or self._wakes != wakes:
                return None

    def wake(self) -> None:
        """Ends the wait of who is in `next` on another thread."""
        self._wakes += 1
        check(lib.consul_queue_wake(self.handle))

    def _taken(self, event: Optional[int]) -> Optional[Ticket[Any]]:
        assert event is not None
        try:
            tag = lib.consul_event_tag(event)
            ticket = self._tickets.pop(tag, None) or self._followed.get(tag)
            if ticket is not None:
                ticket._end(event)
                if isinstance(ticket.error, (Cancelled, Closed)):
                    self._followed.pop(tag, None)
            return ticket
        finally:
            lib.consul_event_free(event)

    def __iter__(self) -> Iterator[Ticket[Any]]:
        """Tickets as calls end, until none is in flight."""
        while self._tickets:
            ticket = self.next()
            if ticket is not None:
                yield ticket

    def __len__(self) -> int:
        """How many calls have begun whose tickets have not come."""
        return len(self._tickets)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        state = "closed" if self.handle is None else f"{len(self)} expected"
        return f"<consul_ffi.{type(self).__name__} {state}>"

    def fileno(self) -> int:
        """A descriptor that is readable as long as tickets wait. It belongs to the queue."""
        return lib.consul_queue_fd(self.handle)

    def close(self) -> None:
        """Ends it: what is in flight is cancelled, and its tickets end with Closed. Harmless when it
        was closed before."""
        self._handle.close()
        self._tickets.clear()
        self._followed.clear()


class _Ticketing(Core):
    """Calls return tickets."""

    __slots__ = ("_queue",)

    def __init__(self, native: Native, queue: Queue) -> None:
        super().__init__(native)
        self._queue = queue

    @property
    def blocking(self) -> Core:
        return Blocking(self.native)

    def do(  # type: ignore[override]
        self,
        finish: Callable[[int], T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> Ticket[T]:
        def call(request: int) -> None:
            begin(self.native, function, options, arguments, request)

        return self._queue.begin(without_handle(finish), call)

    def ask(  # type: ignore[override]
        self,
        read: _event.Read[T],
        function: Callable[..., int],
        options: Mapping[str, Any],
        *arguments: Any,
    ) -> Ticket[T]:
        def call(request: int) -> None:
            begin(self.native, function, options, arguments, request, None)

        return self._queue.begin(read, call)


class Later:
    """A client whose calls return tickets; it is made by `client.on(queue)`. It has `kv`, `session`,
    `health`, `agent`, `catalog`, `event`, `status`, `acl`, `operator`, `snapshot`, `txn` and
    `request`."""

    def __init__(self, native: Native, queue: Queue) -> None:
        self._core = core = _Ticketing(native, queue)
        self.kv = Kv(core)
        self.session = Sessions(core)
        self.health = Health(core)
        self.agent = Agent(core)
        self.catalog = Catalog(core)
        self.event = Events(core)
        self.status = Status(core)
        self.acl = Acl(core)
        self.operator = Operator(core)
        self.snapshot = Snapshots(core)

    def txn(self) -> Txn:
        """A transaction, to be put together and committed."""
        return Txn(self._core)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Optional[Mapping[str, Parameter]] = None,
        content_type: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> Ticket[Response]:
        """As `Client.request`."""
        ticket = request.send(self._core, method, path, body, query, content_type, options)
        return ticket  # type: ignore[return-value]
