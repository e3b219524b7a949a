"""Sessions: `client.session`."""

from __future__ import annotations

from contextlib import nullcontext
from ctypes import c_void_p
from typing import TYPE_CHECKING, Callable, ContextManager, Optional

from . import _kinds
from ._answers import SESSIONS, take_text
from ._convert import flag, text
from ._core import Core
from ._library import lib
from ._outcome import nothing
from .kept_session import AnySession, KeptSession, session_id
from .results import Meta, Rows, Session
from .specs import SessionSpec

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


def _opened(spec: Optional[SessionSpec]) -> ContextManager[Optional[c_void_p]]:
    return nullcontext() if spec is None else _kinds.SESSION.opened(spec)


class Sessions:
    """Creates, keeps and reads sessions. The keyword arguments of each method are the options of
    the call."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(
        self, spec: Optional[SessionSpec] = None, **options: Unpack[CallOptions]
    ) -> str:
        """Makes a session and gives its id; nobody renews it but its maker. Without a description
        it has Consul's defaults."""
        with _opened(spec) as native:
            return self._core.ask(take_text, lib.consul_session_create, options, native)

    def start(
        self,
        spec: Optional[SessionSpec] = None,
        recreate: bool = False,
        **options: Unpack[CallOptions],
    ) -> KeptSession:
        """Makes a session and keeps it alive; its TTL is 15 s where none was set. With `recreate` a
        session that is lost is made anew, with another id; without, it stays lost."""
        anew = flag(recreate, "recreate")
        with _opened(spec) as native:
            read = self._keeper()
            return self._core.ask(read, lib.consul_session_start, options, native, anew)

    def _keeper(self) -> Callable[[int, Optional[int]], KeptSession]:
        """What makes the session. It does not know a queue that its ticket arrives in."""
        core = self._core.blocking
        return lambda _status, handle: KeptSession(core, handle)

    def renew(self, session: AnySession, **options: Unpack[CallOptions]) -> Session:
        """Starts the TTL of a session anew, and gives the session. Raises SessionInvalid when it
        does not exist any more."""
        arguments = session_id(session)
        return self._core.ask(SESSIONS.take_first, lib.consul_session_renew, options, arguments)

    def destroy(self, session: AnySession, **options: Unpack[CallOptions]) -> None:
        """Ends a session, which need not exist: its keys are released or deleted."""
        return self._core.do(nothing, lib.consul_session_destroy, options, session_id(session))

    def info(self, session: AnySession, **options: Unpack[CallOptions]) -> Optional[Session]:
        """Reads a session; None when it does not exist."""
        arguments = session_id(session)
        return self._core.ask(SESSIONS.take_one, lib.consul_session_info, options, arguments)

    def info_with_meta(
        self, session: AnySession, **options: Unpack[CallOptions]
    ) -> tuple[Optional[Session], Meta]:
        """Reads a session, or None, and what the answer's headers say."""
        read, arguments = SESSIONS.take_one_with_meta, session_id(session)
        return self._core.ask(read, lib.consul_session_info, options, arguments)

    def node(self, node: str, **options: Unpack[CallOptions]) -> Rows[Session]:
        """Reads the sessions of a node."""
        return self._core.ask(SESSIONS.take, lib.consul_session_node, options, text(node, "node"))

    def list(self, **options: Unpack[CallOptions]) -> Rows[Session]:
        """Reads all sessions."""
        return self._core.ask(SESSIONS.take, lib.consul_session_list, options)
