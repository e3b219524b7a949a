"""A program's own health, for its `/health`: `client.health_report()`.

    report = client.health_report()
    report.set("database", "passing", max_age_ms=30_000)
    http_status, document = report.document()       # 200 passing, 429 warning, 503 critical
"""

from __future__ import annotations

from ctypes import byref, c_int32, c_void_p
from typing import TYPE_CHECKING, Optional

from . import _abi
from ._answers import take_text
from ._closing import Closing
from ._convert import optional_text, text, uint64
from ._core import Handle, Native
from ._library import lib
from ._outcome import check, done

if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Self

    HealthStatus = Literal["passing", "warning", "critical"]


class HealthReport(Closing):
    """What a program says of its parts. One that is made by a client also tells how the client's
    services, locks and sessions are getting on, and whether its agent answers, which does not decide
    the status. It makes no request."""

    def __init__(self, _client: Optional[Native] = None) -> None:
        out = c_void_p()
        check(lib.consul_health_report_new(_client and _client.handle.value, byref(out)))
        self._handle = Handle(out.value, lib.consul_health_report_free)

    def set(
        self,
        name: str,
        status: HealthStatus,
        note: Optional[str] = None,
        max_age_ms: int = 0,
    ) -> None:
        """Says how a part of the program is. It counts as critical when that is not said again for
        more than `max_age_ms`; 0 means for ever. The note is for people."""
        arguments = text(name, "name"), text(status, "status"), optional_text(note, "note")
        limit = uint64(max_age_ms, "max_age_ms")
        check(lib.consul_health_report_set(self._handle.value, *arguments, limit))

    def remove(self, name: str) -> bool:
        """Forgets a part of the program. False when there was none of this name."""
        status = lib.consul_health_report_remove(self._handle.value, text(name, "name"))
        return done(status, _abi.CONSUL_NOT_FOUND)

    def document(self) -> tuple[int, str]:
        """The HTTP status and the JSON that the program's `/health` sends now."""
        http_status, out = c_int32(), c_void_p()
        handle = self._handle.value
        check(lib.consul_health_report_document(handle, byref(http_status), byref(out)))
        return http_status.value, take_text(0, out.value)

    def close(self) -> None:
        """Ends it. Harmless when it was closed before."""
        self._handle.close()
