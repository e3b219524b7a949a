"""Leader election: `client.election(key)`.

    with client.election("app/leader", value="node-1") as election:
        election.wait_elected()
        while election.is_leader:
            work(election.fencing_token)

A candidate campaigns in the background from its start until it resigns: while Consul is away, while
another one leads, and again after it has lost. Who leads is there to read at any moment:

    for leader in client.election("app/leader", observe_only=True):
        print(leader.value if leader else "nobody")
"""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Callable, Iterator, Mapping, NamedTuple, Optional, TypeVar

from . import _abi, _describe, _kinds, _outcome, _wait
from ._answers import take_text
from ._closing import Closing
from ._convert import Value, data, milliseconds, text, uint64
from ._core import Core
from ._error import ConsulError
from ._library import lib
from ._memory import MEMORY, optional
from ._options import OF_LOCK, opened
from ._outcome import check, done
from ._progress import progress, shown
from .results import Progress

if TYPE_CHECKING:
    from .specs import SessionSpec

T = TypeVar("T")


class Leadership(NamedTuple):
    """Who led when it was asked. It is false when nobody did."""

    #: What the leader wrote; None when nobody leads.
    value: Optional[bytes]
    #: The session that it leads with; None when nobody leads.
    session: Optional[str]
    #: The Consul node of that session; None where Consul could not tell, or the token may not read
    #: sessions.
    node: Optional[str]
    #: The index of the last write to the key: the leader's fencing token, unless the leader has
    #: changed its value since. It is never lower, and grows from leader to leader.
    modify_index: int
    #: How often the key was acquired since it exists; 0 where that is not known.
    lock_index: int
    #: 0 before anything was heard of Consul; it grows with each change.
    version: int
    #: It is the candidate that was asked.
    is_self: bool

    def __bool__(self) -> bool:
        return self.session is not None


def _leadership(address: Optional[int]) -> Leadership:
    """Reads an answer, and ends it."""
    try:
        row = _abi.LEADERSHIP.read(lib.consul_leader_row(address))
        return Leadership(
            value=MEMORY[row.value : row.value + row.value_len] if row.is_present else None,
            session=optional(row.session, row.session_len),
            node=optional(row.node, row.node_len),
            modify_index=row.modify_index,
            lock_index=row.lock_index,
            version=row.version,
            is_self=row.is_self,
        )
    finally:
        lib.consul_leader_free(address)


class ElectionBase:
    """An election, without what waits."""

    def __init__(self, core: Core, key: str, handle: Optional[int]) -> None:
        self._core = core
        self._handle = core.native.own(handle, lib.consul_election_free)
        self.key = key

    @property
    def handle(self) -> Optional[int]:
        """The library's handle, None once it is closed."""
        return self._handle.value

    @property
    def is_leader(self) -> bool:
        """True while this candidate leads, judged by the clock at this moment: false from the moment
        on at which that cannot be known any more. Makes no request."""
        return lib.consul_election_is_leader(self.handle)

    @property
    def remaining_ms(self) -> float:
        """How long it is known to lead if nothing is heard of Consul from now on: 0 when it does not
        lead, `math.inf` when its session has no TTL."""
        return milliseconds(lib.consul_election_remaining_ms(self.handle))

    @property
    def fencing_token(self) -> int:
        """A number that grows with each term of anybody: a store that refuses lower ones than it has
        seen is safe from late writers. 0 before the first term of this candidate."""
        return lib.consul_election_fencing_token(self.handle)

    @property
    def session_id(self) -> Optional[str]:
        """The id of the session that this candidate leads with; None while it does not lead."""
        out = c_void_p()
        status = lib.consul_election_session_id(self.handle, byref(out))
        return take_text(0, out.value) if done(status, _abi.CONSUL_NOT_FOUND) else None

    @property
    def leader(self) -> Leadership:
        """Who leads, as far as Consul has told. Makes no request; what was known stays while Consul
        cannot be asked."""
        out = c_void_p()
        check(lib.consul_election_leader(self.handle, byref(out)))
        return _leadership(out.value)

    def campaign(self) -> None:
        """Campaigns from now on, if it does not: after it resigned, or only observed."""
        check(lib.consul_election_campaign(self.handle))

    def stats(self) -> Progress:
        """How it is getting on. Makes no request."""
        return progress(lib.consul_election_stats, self.handle)

    def close(self) -> None:
        """Ends it: it resigns in the background. Harmless when it was closed before."""
        self._handle.close()

    def _look(self, function: Callable[..., int], wait_ms: int, *known: int) -> Optional[Leadership]:
        """Waits so long for who leads; None when there was nothing."""
        out = c_void_p()
        status = function(self.handle, *known, wait_ms, byref(out))
        if status == _abi.CONSUL_ERR_INTERRUPTED or not done(status, _abi.CONSUL_NO_CHANGE):
            return None
        return _leadership(out.value)

    def _is_elected(self, wait_ms: int) -> bool:
        """Waits so long to lead."""
        status = lib.consul_election_wait_elected(self.handle, wait_ms)
        return status != _abi.CONSUL_ERR_INTERRUPTED and done(status, _abi.CONSUL_NO_CHANGE)

    def __repr__(self) -> str:
        state = shown(lib.consul_election_stats, self.handle)
        return f"<consul_ffi.{type(self).__name__} {self.key} {state}>"


class Election(ElectionBase, Closing):
    """A candidate or an observer. `for leader in election` gives who leads each time that it changes,
    at first as soon as Consul has told it; it ends when the election is closed.

    As a context manager it is closed at the end of the block."""

    def wait_elected(self, timeout_ms: Optional[int] = None) -> bool:
        """Waits until this candidate leads: True then, False when it does not after this time; None
        waits for ever. Raises Cancelled once it is closed, Closed once its client is."""
        return self._await(timeout_ms, lambda wait_ms: self._is_elected(wait_ms) or None) is True

    def wait_leader(self, timeout_ms: Optional[int] = None) -> Optional[Leadership]:
        """Waits until somebody leads, this candidate or another; None when nobody does after this
        time."""
        look = lib.consul_election_wait_leader
        return self._await(timeout_ms, lambda wait_ms: self._look(look, wait_ms))

    def wait_change(
        self, version: int, timeout_ms: Optional[int] = None
    ) -> Optional[Leadership]:
        """Waits for something newer than this version of who leads; None when there was nothing."""
        look, known = lib.consul_election_wait_change, uint64(version, "version")
        return self._await(timeout_ms, lambda wait_ms: self._look(look, wait_ms, known))

    def resign(self) -> None:
        """Campaigns no more, and gives the key back where this candidate leads: another one leads at
        once, without a lock-delay. It goes on observing. That it did not lead is no error."""
        _persist(lambda: lib.consul_election_resign(self.handle, None))

    def set_value(self, value: Value) -> None:
        """Changes what the others read while this candidate leads: at once where it does, and for
        all its terms from now on. Raises LockLost where it turns out not to lead any more."""
        written = data(value)
        _persist(
            lambda: lib.consul_election_set_value(self.handle, written, len(written), None)
        )

    def __iter__(self) -> Iterator[Leadership]:
        version = 0
        try:
            while True:
                leader = self.wait_change(version)
                if leader is not None:
                    version = leader.version
                    yield leader
        except ConsulError:
            # Closed meanwhile: its end.
            if self.handle is not None:
                raise

    def _await(self, timeout_ms: Optional[int], look: Callable[[int], Optional[T]]) -> Optional[T]:
        """Looks in slices until there is something, so that a signal that comes just before one is
        seen after it."""
        end = _wait.end(timeout_ms)
        while True:
            left = _wait.left_ms(end)
            found = look(_wait.slice_ms(left))
            if found is not None or left <= 0:
                return found


def _persist(call: Callable[[], int]) -> None:
    """A signal whose handler did not raise does not end a call."""
    status = _abi.CONSUL_ERR_INTERRUPTED
    while status == _abi.CONSUL_ERR_INTERRUPTED:
        status = call()
    check(status)


_SETTERS: dict[str, _describe.Setter] = {
    "value": _describe.data(lib.consul_election_spec_set_value),
    "session_ttl_ms": _describe.uint64(lib.consul_election_spec_set_session_ttl_ms),
    "lock_delay_ms": _describe.uint64(lib.consul_election_spec_set_lock_delay_ms),
    "ephemeral": _describe.flag(lib.consul_election_spec_set_ephemeral),
    "session": _describe.nested(_kinds.SESSION, lib.consul_election_spec_set_session_spec),
    "adopt": _describe.flag(lib.consul_election_spec_set_adopt),
    "observe_only": _describe.flag(lib.consul_election_spec_set_observe_only),
    "monitor_retry_ms": _describe.uint64(lib.consul_election_spec_set_monitor_retry_ms),
}


def start(
    core: Core, key: str, fields: Mapping[str, object], options: Mapping[str, object]
) -> Optional[int]:
    """Starts an election; the library's handle."""
    spec, out = c_void_p(), c_void_p()
    check(lib.consul_election_spec_new(text(key, "key"), byref(spec)))
    try:
        for name, value in fields.items():
            if value is not None:
                _SETTERS[name](spec, value, name)
        with opened(options, OF_LOCK) as native:
            check(lib.consul_election_spec_set_options(spec, native))
        core.native.check(lib.consul_election_start(core.handle.value, spec, byref(out)))
    finally:
        lib.consul_election_spec_free(spec)
    return out.value
