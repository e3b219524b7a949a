"""A service that the library keeps registered: `client.service(ServiceSpec(...))`.

    with client.service(ServiceSpec("web", port=8080)) as service:
        service.set_status("warning", "the cache is cold")
"""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, TypeVar

from . import _abi, _describe, _kinds
from ._closing import Closing
from ._convert import flag, optional_text, text
from ._core import Core
from ._library import lib
from ._memory import c_text
from ._options import OF_LOCK, opened
from ._outcome import check
from ._progress import progress
from .results import Progress
from .specs import ServiceSpec

if TYPE_CHECKING:
    from typing_extensions import Self

    from .health_report import HealthStatus

K = TypeVar("K", bound="KeptServiceBase")

_SETTERS: dict[str, _describe.Setter] = {
    "ttl_ms": _describe.uint64(lib.consul_kept_service_spec_set_ttl_ms),
    "must_pat": _describe.flag(lib.consul_kept_service_spec_set_must_pat),
    "status": _describe.text(lib.consul_kept_service_spec_set_status),
    "note": _describe.text(lib.consul_kept_service_spec_set_note),
    "deregister_after_ms": _describe.uint64(
        lib.consul_kept_service_spec_set_deregister_after_ms
    ),
}


class KeptServiceBase:
    """A service that is kept registered, without what waits."""

    def __init__(self, core: Core, handle: Optional[int]) -> None:
        self._core = core
        self._handle = core.native.own(handle, lib.consul_kept_service_free)

    @property
    def id(self) -> str:
        """The id that it is registered by; empty once it is closed."""
        return c_text(lib.consul_kept_service_id(self._handle.value))

    @property
    def check_id(self) -> str:
        """The id of the TTL check that the library reports on."""
        return c_text(lib.consul_kept_service_check_id(self._handle.value))

    @property
    def status(self) -> str:
        """What the program said last, or `"critical"` when it must pat and was silent for a TTL;
        empty once it is closed."""
        return c_text(lib.consul_kept_service_status(self._handle.value))

    @property
    def is_registered(self) -> bool:
        """Whether the agent is known to have it, as of the last exchange."""
        return lib.consul_kept_service_is_registered(self._handle.value)

    @property
    def registrations(self) -> int:
        """How often it was written to an agent: 1 after the start, and more each time it was lost
        or changed."""
        return lib.consul_kept_service_registrations(self._handle.value)

    def stats(self) -> Progress:
        """How it is getting on. Makes no request."""
        return progress(lib.consul_kept_service_stats, self._handle.value)

    def set_status(self, status: HealthStatus, note: Optional[str] = None) -> None:
        """Says how the program is from now on, and returns at once. The note is for people; every
        change of it wakes all who watch the service."""
        arguments = text(status, "status"), optional_text(note, "note")
        check(lib.consul_kept_service_set_status(self._handle.value, *arguments))

    def pat(self) -> None:
        """Says that the program is as it said last. One that must pat does so at least once a
        TTL."""
        check(lib.consul_kept_service_pat(self._handle.value))

    def update(self, spec: ServiceSpec) -> None:
        """Changes what is registered, and returns at once. Its id stays."""
        with _kinds.SERVICE.opened(spec) as native:
            check(lib.consul_kept_service_set_spec(self._handle.value, native))

    def set_token(self, token: Optional[str]) -> None:
        """Registers it anew with this token, None for the client's, and returns at once."""
        given = optional_text(token, "token")
        check(lib.consul_kept_service_set_token(self._handle.value, given))

    def stop(self) -> None:
        """Lets it alone from now on: it stays registered, and its heartbeat ends."""
        check(lib.consul_kept_service_stop(self._handle.value))

    def __repr__(self) -> str:
        return f"<consul_ffi.{type(self).__name__} {self.id or 'closed'}>"


class KeptService(KeptServiceBase, Closing):
    """Registered from its start on, and again when the agent has lost it. As a context manager it is
    started, and deregistered at the end of the block. One that is forgotten is deregistered too."""

    def start(self) -> None:
        """Registers it. An error says how the first try went; the library goes on trying all the
        same."""
        check(self._until_done(lib.consul_kept_service_start))

    def maintenance(self, enable: bool, reason: Optional[str] = None) -> None:
        """Puts it into maintenance, or ends that. Raises NotFound when it is not registered."""
        arguments = flag(enable, "enable"), optional_text(reason, "reason")
        check(self._until_done(lib.consul_kept_service_maintenance, *arguments))

    def close(self) -> None:
        """Deregisters it. After an error the library goes on trying in the background. Harmless
        when it was closed before, and in a forked child."""
        if self._handle.value is None:
            return
        try:
            status = lib.consul_kept_service_close(self._handle.value, None)
            # A signal whose handler did not raise ends the wait, and the library goes on.
            if status not in (_abi.CONSUL_ERR_INTERRUPTED, _abi.CONSUL_ERR_FORKED):
                check(status)
        finally:
            self._handle.close()

    def _until_done(self, function: Callable[..., int], *arguments: Any) -> int:
        status = _abi.CONSUL_ERR_INTERRUPTED
        while status == _abi.CONSUL_ERR_INTERRUPTED:
            status = function(self._handle.value, *arguments, None)
        return status

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._handle.close()
            raise
        return self


def new(
    kind: type[K],
    core: Core,
    spec: ServiceSpec,
    fields: Mapping[str, object],
    options: Mapping[str, object],
) -> K:
    """Makes a service of a kind. Sends nothing."""
    native, out = c_void_p(), c_void_p()
    with _kinds.SERVICE.opened(spec) as described:
        check(lib.consul_kept_service_spec_new(described, byref(native)))
    try:
        for name, value in fields.items():
            if value is not None:
                _SETTERS[name](native, value, name)
        with opened(options, OF_LOCK) as settings:
            check(lib.consul_kept_service_spec_set_options(native, settings))
        core.native.check(lib.consul_kept_service_new(core.handle.value, native, byref(out)))
    finally:
        lib.consul_kept_service_spec_free(native)
    return kind(core, out.value)
