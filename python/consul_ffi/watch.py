"""Watches: what changes, as it changes. `client.watch`.

    with client.watch.key("app/limit") as watch:
        for view in watch:
            print(view.pair)

A watch is a blocking query that the library keeps asking. It rides out failures, asks no more often
than it must, and tells only what has changed.
"""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Iterator,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    TypeVar,
)

from . import _abi, _wait
from ._closing import Closing
from ._convert import milliseconds
from ._core import Handle, Native
from ._error import ConsulError
from ._library import lib
from ._memory import text
from ._outcome import check
from ._progress import error, read
from ._watch_spec import start
from .errors import Cancelled
from .view import (
    ChecksView,
    EventsView,
    InstancesView,
    KeyView,
    NodesView,
    PairsView,
    PathView,
    ServiceNamesView,
    View,
)

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._watch_spec import Policy, WatchOptions

V = TypeVar("V", bound=View[Any])


class WatchStats(NamedTuple):
    """How a watch is doing."""

    #: The version of the newest state; 0 before anything was found.
    version: int
    #: The index of the last good answer.
    index: int  # type: ignore[assignment]
    #: How long ago Consul gave its last good answer; `math.inf` when it never did.
    last_success_age_ms: float
    #: How many requests have failed since.
    consecutive_failures: int
    #: What failed last, even when all is well again.
    last_error: Optional[ConsulError]
    #: Why the last-good file could not be written the last time; None when it could.
    last_good_error: Optional[ConsulError]
    #: How many requests were made, those for other watches of the same thing included.
    requests: int
    #: A request is with Consul.
    in_flight: bool
    #: A loss above the floor is held back.
    holding_back: bool
    #: `"pending"`, `"fresh"`, `"empty"`, `"stale"` or `"ended"`.
    state: str
    #: In how long Consul is asked again; `math.inf` while it is being asked.
    next_try_ms: float


class WatchBase(Generic[V]):
    """A watch, without what waits."""

    def __init__(
        self, kind: type[V], handle: Handle, options: Mapping[str, Any], client: object
    ) -> None:
        self._kind = kind
        self._handle = handle
        # Kept alive as long as it is watched for.
        self._client = client
        self._last_seen_index = options.get("last_seen_index")

    def view(self) -> V:
        """A view of what it has found, for this thread."""
        return self._kind(self._handle, self._client)

    def stats(self) -> WatchStats:
        """How it is doing. Makes no request."""
        out = c_void_p()
        check(lib.consul_watch_stats(self._handle.value, byref(out)))
        return read(out, _stats)

    def stop(self) -> None:
        """Stops it: who iterates comes to the end. What was found stays to be read."""
        check(lib.consul_watch_stop(self._handle.value))

    def close(self) -> None:
        """Stops and ends it; its views can still be read. Harmless when it was closed before."""
        self._handle.close()

    def _is_known(self, view: V) -> bool:
        """Whether the program knows the first state already."""
        return bool(view.index) and view.index == self._last_seen_index

    def __repr__(self) -> str:
        kind = self._kind.__name__
        return f"<consul_ffi.{type(self).__name__} of {kind}, version {lib.consul_watch_version(self._handle.value)}>"


class Watch(WatchBase[V], Closing):
    """Something that is watched. `for view in watch` gives a view each time that there is something
    new, the first state first: the same view, moved on. It ends when the watch is stopped.

    As a context manager it is closed at the end of the block. One that is forgotten is closed with
    the last of its views."""

    def wait_ready(self, timeout_ms: Optional[int] = None) -> Self:
        """Waits until there is a state to read, if only that there is nothing. Raises Timeout, with
        Consul's last failure in its message, when there is none in time."""
        end = _wait.end(timeout_ms)
        while True:
            left = _wait.left_ms(end)
            limit = _wait.slice_ms(left)
            status = lib.consul_watch_wait_ready(self._handle.value, limit)
            if status == _abi.CONSUL_OK:
                return self
            if status != _abi.CONSUL_ERR_TIMEOUT or left <= limit:
                raise _wait.failed(status, timeout_ms)

    def __iter__(self) -> Iterator[V]:
        view = self.view()
        try:
            if view.version or view.wait():
                if not self._is_known(view):
                    yield view
            while view.wait():
                yield view
        except Cancelled:
            return


class Watches:
    """Starts watches. That Consul is away is no error."""

    def __init__(self, native: Native) -> None:
        self._native = native

    def _start(
        self, kind: type[V], number: int, name: Optional[str], options: Mapping[str, Any]
    ) -> Watch[V]:
        handle = start(self._native, number, name, options)
        return Watch(kind, handle, options, self._native)

    def key(self, key: str, **options: Unpack[WatchOptions]) -> Watch[KeyView]:
        """A key; that it does not exist is a state like any other."""
        return self._start(KeyView, _abi.CONSUL_WATCH_KEY, key, options)

    def prefix(self, prefix: str, **options: Unpack[WatchOptions]) -> Watch[PairsView]:
        """Every key that begins with a prefix, byte by byte."""
        return self._start(PairsView, _abi.CONSUL_WATCH_PREFIX, prefix, options)

    def service(
        self,
        service: str,
        *,
        policy: Policy = "passing",
        tags: Sequence[str] = (),
        **options: Unpack[WatchOptions],
    ) -> Watch[InstancesView]:
        """The instances of a service that have all of these tags: those that pass, those that pass
        or warn, or any."""
        given = {"policy": policy, "tags": tags, **options}
        return self._start(InstancesView, _abi.CONSUL_WATCH_SERVICE, service, given)

    def services(self, **options: Unpack[WatchOptions]) -> Watch[ServiceNamesView]:
        """The names of all services with their tags."""
        return self._start(ServiceNamesView, _abi.CONSUL_WATCH_SERVICES, None, options)

    def nodes(self, **options: Unpack[WatchOptions]) -> Watch[NodesView]:
        """The nodes."""
        return self._start(NodesView, _abi.CONSUL_WATCH_NODES, None, options)

    def service_checks(self, service: str, **options: Unpack[WatchOptions]) -> Watch[ChecksView]:
        """The checks of the instances of a service."""
        return self._start(ChecksView, _abi.CONSUL_WATCH_SERVICE_CHECKS, service, options)

    def node_checks(self, node: str, **options: Unpack[WatchOptions]) -> Watch[ChecksView]:
        """The checks of a node and of what runs on it."""
        return self._start(ChecksView, _abi.CONSUL_WATCH_NODE_CHECKS, node, options)

    def state_checks(self, state: str, **options: Unpack[WatchOptions]) -> Watch[ChecksView]:
        """The checks in a state: `"any"`, `"passing"`, `"warning"` or `"critical"`."""
        return self._start(ChecksView, _abi.CONSUL_WATCH_STATE_CHECKS, state, options)

    def events(
        self, name: Optional[str] = None, **options: Unpack[WatchOptions]
    ) -> Watch[EventsView]:
        """The user events that the agent has heard of; with a name those of this name."""
        return self._start(EventsView, _abi.CONSUL_WATCH_EVENTS, name, options)

    def path(self, path: str, **options: Unpack[WatchOptions]) -> Watch[PathView]:
        """Any endpoint that can block, by its path from `/v1/` on with its query, both
        percent-encoded. One that cannot is asked every few seconds."""
        return self._start(PathView, _abi.CONSUL_WATCH_PATH, path, options)


def _stats(row: Any) -> WatchStats:
    return WatchStats(
        version=row.version,
        index=row.index,
        last_success_age_ms=milliseconds(row.last_success_ms),
        consecutive_failures=row.consecutive_failures,
        last_error=error(row.last_error),
        last_good_error=error(row.last_good_error),
        requests=row.requests,
        in_flight=row.is_in_flight,
        holding_back=row.is_holding_back,
        state=text(row.state, row.state_len),
        next_try_ms=milliseconds(row.next_try_ms),
    )
