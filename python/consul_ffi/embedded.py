"""The Consul agent in memory of a client whose address is `embedded:`, for tests:
`client.embedded()`.

    client = consul_ffi.Client(address="embedded:")
    agent = client.embedded()
    agent.advance(30_000)                                   # turn its clock on
    agent.fail_next(1, 500, "rpc error making call: EOF", prefix="/v1/kv/")
"""

from __future__ import annotations

from ctypes import byref, c_uint64
from typing import Optional

from ._convert import flag, optional_text, uint32, uint64
from ._core import Native
from ._library import lib


class EmbeddedAgent:
    """Its clock, which can be turned on, and faults to order. Where there is a `prefix`, a fault meets
    only requests whose path begins with that. Everything raises Unsupported when the client's agent is
    not embedded."""

    def __init__(self, _client: Native) -> None:
        self._client = _client
        self.now()

    def advance(self, time_ms: int) -> None:
        """Turns the clock on. What is due until then has happened when this returns: sessions have
        ended, checks have failed, waits are over."""
        self._check(lib.consul_embedded_advance(self._handle, uint64(time_ms, "time_ms")))

    def now(self) -> int:
        """How long the agent has lived by its own clock, in ms."""
        now = c_uint64()
        self._check(lib.consul_embedded_now(self._handle, byref(now)))
        return now.value

    def set_latency(self, latency_ms: int, *, prefix: Optional[str] = None) -> None:
        """Lets every request wait this long, by the agent's clock, before it is looked at; 0 ends
        that."""
        limit = uint64(latency_ms, "latency_ms")
        self._check(lib.consul_embedded_set_latency(self._handle, _prefix(prefix), limit))

    def fail_next(
        self, count: int, http_status: int, text: str = "", *, prefix: Optional[str] = None
    ) -> None:
        """Answers the next `count` requests with this HTTP status, 400 to 599, and text, and does
        nothing for them; 0 takes the order back."""
        what = uint64(count, "count"), uint32(http_status, "http_status")
        words = optional_text(text, "text")
        self._check(lib.consul_embedded_fail_next(self._handle, _prefix(prefix), *what, words))

    def no_leader(self, is_gone: bool, *, prefix: Optional[str] = None) -> None:
        """Takes the leader away, or gives one back. Without one, requests that need it are held for
        seven seconds of the agent's clock and then fail; stale reads are answered."""
        gone = flag(is_gone, "is_gone")
        self._check(lib.consul_embedded_no_leader(self._handle, _prefix(prefix), gone))

    def lose_answers(self, count: int, *, prefix: Optional[str] = None) -> None:
        """Does what the next `count` requests ask for and loses the answers: whether it was done is
        unknown to who asked. 0 takes the order back."""
        times = uint64(count, "count")
        self._check(lib.consul_embedded_lose_answers(self._handle, _prefix(prefix), times))

    def reset_faults(self) -> None:
        """Takes every order of a fault back, whatever its prefix."""
        self._check(lib.consul_embedded_reset_faults(self._handle))

    @property
    def _handle(self) -> Optional[int]:
        return self._client.handle.value

    def _check(self, status: int) -> None:
        if status:
            raise self._client.error(status)


def _prefix(prefix: Optional[str]) -> Optional[bytes]:
    return optional_text(prefix, "prefix")
