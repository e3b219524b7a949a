"""Live views: what a watch has found, always there to be read.

    view = client.watch.service("web").wait_ready().view()
    view.refresh()                                  # costs next to nothing when nothing is new
    instance = view.pick("round_robin")

A view stands still until `refresh` or `wait` moves it. Reading it makes no request. What was found
stays when Consul cannot be asked: the view is `"stale"` then, and says how old it is.
"""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from contextlib import suppress
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Callable, Generic, Iterator, Optional, TypeVar

from . import _abi, _outcome, _rows, _wait
from ._closing import Closing
from ._convert import Value, data, milliseconds, text
from ._core import Handle
from ._error import ConsulError
from ._library import lib
from ._memory import MEMORY
from .errors import NotFound
from .results import Check, Instance, Node, Pair, ServiceName, UserEvent

if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Self

    Pick = Literal[
        "round_robin", "random", "weighted", "least_connections", "nearest", "hash"
    ]

T = TypeVar("T")

#: How long to wait for another thread that moves what is waited by.
_BUSY_MS = 20

#: How long a fork waits for another thread that reads or moves a view.
_LONGEST_READ_S = 1.0


def _names(prefix: str) -> dict[int, str]:
    return {
        number: name[len(prefix) :].lower()
        for name, number in vars(_abi).items()
        if name.startswith(prefix)
    }


_STATES = _names("CONSUL_VIEW_")
_PICKS = {name: number for number, name in _names("CONSUL_PICK_").items()}


class View(Generic[T]):
    """A look at the newest state that a watch had found when it was moved there last. Any number of
    threads may use it; one that others move under a thread is seldom what that wants, so each has
    better its own. It can be read when its watch is closed, and in a forked child, where its watch
    begins anew."""

    _at: Callable[..., Optional[int]]
    _read: Callable[[int], T]

    def __init__(self, watch: Handle, client: object) -> None:
        # Goes on as long as somebody has the watch or a view of it.
        self._watched: Optional[tuple[Handle, object]] = (watch, client)
        self._handle = _native(watch)
        # Who waits moves this one, under no lock.
        self._waiter = _native(watch)
        # The library refuses to move a view that another thread reads, and the other way round; and
        # what rows say is read before they are gone.
        self._lock = threading.Lock()
        self._seen: dict[int, T] = {}
        _views.add(self)

    @property
    def version(self) -> int:
        """The version of its state, which grows with each; 0 before anything was found."""
        with self._lock:
            return lib.consul_view_version(self._handle.value)

    @property
    def index(self) -> int:
        """The index of the answer that it stands at; 0 when it had none or comes from a file."""
        with self._lock:
            return lib.consul_view_index(self._handle.value)

    @property
    def state(self) -> str:
        """`"fresh"`; `"empty"` when Consul said that there is nothing; `"stale"` when Consul cannot
        be asked or the state comes from a file; `"pending"` when nothing was found yet."""
        with self._lock:
            return _STATES.get(lib.consul_view_state(self._handle.value), "closed")

    @property
    def age_ms(self) -> float:
        """How long ago Consul confirmed the watch's newest state; `math.inf` when it never did."""
        with self._lock:
            return milliseconds(lib.consul_view_age_ms(self._handle.value))

    def refresh(self) -> bool:
        """Moves to the newest state; False when it is there already."""
        with self._lock:
            status = lib.consul_view_refresh(self._open())
            if status < 0:
                raise _outcome.from_status(status)
            if status == _abi.CONSUL_OK:
                self._seen.clear()
                return True
            return False

    def wait(self, timeout_ms: Optional[int] = None) -> bool:
        """Waits for a newer state, with None for ever, and moves there; False when there was none.
        Raises Cancelled once the watch is stopped, Closed once its client is closed."""
        end = _wait.end(timeout_ms)
        while not self.refresh():
            left = _wait.left_ms(end)
            status = lib.consul_view_wait(self._waiter.value, _wait.slice_ms(left))
            if status == _abi.CONSUL_ERR_BUSY:
                # Another thread that waits is just moving it, or was when this process was forked.
                time.sleep(min(left, _BUSY_MS) / 1000)
            elif status < 0:
                raise _outcome.from_status(status)
            if status == _abi.CONSUL_NO_CHANGE and left <= 0:
                return False
        return True

    def __len__(self) -> int:
        """How many things there are."""
        with self._lock:
            return self._count()

    def __bool__(self) -> bool:
        return len(self) > 0

    def rows(self) -> list[T]:
        """Everything there is."""
        with self._lock:
            handle = self._open()
            places = range(self._count())
            return [self._row(address) for at in places if (address := self._at(handle, at))]

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows())

    def _row(self, address: int) -> T:
        """A row, which is read once for each state."""
        found = self._seen.get(address)
        if found is None:
            found = self._seen[address] = self._read(address)
        return found

    def _find(self, function: Callable[..., Optional[int]], *arguments: Any) -> Optional[T]:
        with self._lock:
            address = function(self._open(), *arguments)
            if not address:
                self._check()
            return self._row(address) if address else None

    def _count(self) -> int:
        count: int = lib.consul_view_count(self._open())
        if not count:
            self._check()
        return count

    def _open(self) -> int:
        """The library's handle; raises once the view is closed."""
        handle = self._handle.value
        if handle is None:
            raise _outcome.new(_abi.CONSUL_ERR_CLOSED, "the view was closed")
        return handle

    def _check(self) -> None:
        """Raises where what was found is too old to be read."""
        _outcome.check(lib.consul_view_check(self._open()))

    def close(self) -> None:
        """Ends it. Harmless when it was closed before."""
        with self._lock:
            self._handle.close()
            self._waiter.close()
            self._watched = None
            self._seen.clear()

    def __repr__(self) -> str:
        return f"<consul_ffi.{type(self).__name__} version {self.version}, {self.state}>"


class PairsView(View[Pair]):
    """A view of a key or a prefix."""

    _at = lib.consul_view_kv_at
    _read = staticmethod(_rows.pair)

    def find(self, key: str) -> Optional[Pair]:
        """The pair of a key; None when there is none."""
        return self._find(lib.consul_view_find_kv, text(key, "key"))


class KeyView(PairsView):
    """A view of a key."""

    @property
    def pair(self) -> Optional[Pair]:
        """The key with its value; None when there is none."""
        return self._find(lib.consul_view_kv_at, 0)


class InstancesView(View[Instance]):
    """A view of a service."""

    _at = lib.consul_view_service_entry_at
    _read = staticmethod(_rows.instance)

    def find(self, service_id: str) -> Optional[Instance]:
        """The instance of this id; None when there is none."""
        return self._find(lib.consul_view_find_service_entry, text(service_id, "service_id"))

    def pick(self, how: Pick = "round_robin", key: Optional[Value] = None) -> Optional[Instance]:
        """Picks an instance that passes, or that warns where the watch takes those too; None when
        there is none. `"hash"` is the one that `key` belongs to; `"nearest"` is for a watch with
        `near`. Raises ArgumentError without them."""
        content = _content(how, key)
        picked = self._find(lib.consul_view_pick, _pick(how), content, len(content))
        if picked is None and how == "nearest":
            # It tells whether that can be picked at all.
            with suppress(NotFound):
                self.lease(how).close()
        return picked

    def lease(self, how: Pick = "least_connections", key: Optional[Value] = None) -> Lease:
        """As `pick`, and counts a use of the instance until the lease is closed. Raises NotFound
        when there is none to pick."""
        out, content = c_void_p(), _content(how, key)
        arguments = _pick(how), content, len(content), byref(out)
        with self._lock:
            _outcome.check(lib.consul_view_lease(self._open(), *arguments))
        return Lease(out.value)


class ServiceNamesView(View[ServiceName]):
    """A view of the names of services."""

    _at = lib.consul_view_service_name_at
    _read = staticmethod(_rows.service_name)


class NodesView(View[Node]):
    """A view of the nodes."""

    _at = lib.consul_view_node_at
    _read = staticmethod(_rows.node)


class ChecksView(View[Check]):
    """A view of checks."""

    _at = lib.consul_view_check_at
    _read = staticmethod(_rows.check)


class EventsView(View[UserEvent]):
    """A view of user events, the oldest first."""

    _at = lib.consul_view_user_event_at
    _read = staticmethod(_rows.user_event)


class PathView(View[bytes]):
    """A view of any endpoint: its one row is the body of the answer."""

    def rows(self) -> list[bytes]:
        """The body, or nothing when there is none."""
        body = self.body
        return [] if body is None else [body]

    @property
    def body(self) -> Optional[bytes]:
        """The body of the answer; None when it was a 404, or none came yet."""
        with self._lock:
            handle = self._open()
            start, length = lib.consul_view_body(handle), lib.consul_view_body_len(handle)
            found = self._count() and start
            return MEMORY[start : start + length] if found else None

    def json(self) -> Any:
        """The body as JSON says it; None when there is none."""
        body = self.body
        return None if body is None else json.loads(body)


class Lease(Closing):
    """An instance in use, until it is closed or its block ends."""

    def __init__(self, handle: Optional[int]) -> None:
        self._handle = Handle(handle, lib.consul_lease_free)
        #: The instance.
        self.instance: Instance = _rows.instance(lib.consul_lease_service_entry(handle))

    @property
    def address(self) -> str:
        """Where to connect to."""
        return self.instance.address

    @property
    def port(self) -> int:
        """The port there."""
        return self.instance.port

    def close(self) -> None:
        """Ends the use. Harmless when it was closed before."""
        self._handle.close()


def _native(watch: Handle) -> Handle:
    out = c_void_p()
    _outcome.check(lib.consul_watch_view(watch.value, byref(out)))
    return Handle(out.value, lib.consul_view_free)


def _pick(how: str) -> int:
    number = _PICKS.get(how)
    if number is None:
        allowed = " or ".join(map(repr, _PICKS))
        raise _argument(f"how must be {allowed}, not {how!r}")
    return number


def _content(how: str, key: Optional[Value]) -> bytes:
    """The key to pick by."""
    if key is not None:
        return data(key, "key")
    if how == "hash":
        raise _argument('how "hash" needs a key')
    return b""


def _argument(message: str) -> ConsulError:
    return _outcome.new(_abi.CONSUL_ERR_ARGUMENT, message)


_views: weakref.WeakSet[View[Any]] = weakref.WeakSet()


class _Forking(threading.local):
    """What the thread that forks has locked for that."""

    def __init__(self) -> None:
        self.locks: list[threading.Lock] = []


_forking = _Forking()


def _lock() -> None:
    """What another thread reads or moves would be so for ever in a forked child."""
    for view in list(_views):
        # Not without end: a signal handler may fork amid one that its own thread reads.
        if view._lock.acquire(timeout=_LONGEST_READ_S):
            _forking.locks.append(view._lock)


def _unlock() -> None:
    while _forking.locks:
        _forking.locks.pop().release()


def _renew_locks() -> None:
    """Nobody is left who could unlock what another thread had locked."""
    _forking.locks.clear()
    for view in list(_views):
        view._lock = threading.Lock()


os.register_at_fork(before=_lock, after_in_parent=_unlock, after_in_child=_renew_locks)
