"""A session that the library keeps alive: `client.session.start(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Union

from ._closing import Block
from ._convert import milliseconds, text
from ._core import Core, Handle
from ._library import lib
from ._memory import c_text
from ._outcome import check, nothing
from ._progress import progress
from .errors import Interrupted
from .results import Progress

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class KeptSessionBase:
    """A session that is kept alive, without what waits."""

    def __init__(self, core: Core, value: Optional[int]) -> None:
        self._core = core
        self._handle = core.native.own(value, lib.consul_session_free)
        self._last_id = c_text(lib.consul_session_id(value))

    @property
    def handle(self) -> Optional[int]:
        """The library's handle, for what is built on a session."""
        return self._handle.value

    @property
    def own_handle(self) -> Handle:
        """What frees it, for what is to be freed before."""
        return self._handle

    @property
    def id(self) -> str:
        """Its id. With `recreate` another one after it was lost and made anew."""
        self._last_id = c_text(lib.consul_session_id(self._handle.value)) or self._last_id
        return self._last_id

    @property
    def generation(self) -> int:
        """1, and one more each time it was made anew; 0 when it is closed."""
        return lib.consul_session_generation(self._handle.value)

    @property
    def is_valid(self) -> bool:
        """True until Consul says that it is gone, or its deadline has passed. Makes no request."""
        return lib.consul_session_is_valid(self._handle.value)

    @property
    def remaining_ms(self) -> float:
        """How long it is known to live without another renewal: 0 when it is not valid, `math.inf`
        when it has no TTL."""
        return milliseconds(lib.consul_session_remaining_ms(self._handle.value))

    def stats(self) -> Progress:
        """How its renewal is getting on. Makes no request."""
        return progress(lib.consul_session_stats, self._handle.value)

    def stop(self) -> None:
        """Renews it no more, and leaves it at Consul, where it ends by its TTL."""
        check(lib.consul_session_stop(self._handle.value))

    def close(self) -> None:
        """Ends the object, and in the background the session, unless it was stopped. Harmless when
        it was closed before."""
        self._handle.close()

    def __repr__(self) -> str:
        return f"<consul_ffi.{type(self).__name__} {self.id}>"


class KeptSession(KeptSessionBase, Block):
    """Renewed in the background until it is destroyed, stopped or lost. As a context manager it is
    destroyed at the end of the block. One that is forgotten is destroyed too."""

    def destroy(self, **options: Unpack[CallOptions]) -> None:
        """Destroys it at Consul; the locks that it holds are lost. The object is closed: after a
        failure the library goes on trying in the background."""
        try:
            name = text(self.id, "session")
            self._core.do(nothing, lib.consul_session_destroy, options, name)
            lib.consul_session_stop(self._handle.value)
        except Interrupted:
            # A signal whose handler did not raise: closing it goes on in the background.
            pass
        finally:
            self.close()

    def _leave(self, error: Optional[BaseException]) -> None:
        if self._handle.value is None:
            return
        if error is None:
            self.destroy()
        else:
            self.close()


#: A session is given by its id, or as the session of `client.session.start`.
AnySession = Union[str, KeptSessionBase]


def session_id(session: AnySession) -> bytes:
    """The id of a session, for the library."""
    return text(session.id if isinstance(session, KeptSessionBase) else session, "session")
