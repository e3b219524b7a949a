"""Sessions: `client.session`."""

from __future__ import annotations

from contextlib import nullcontext
from ctypes import c_void_p
from typing import TYPE_CHECKING, ContextManager, Optional

from . import _kinds
from ._answers import SESSIONS, take_text
from ._call import ask, do
from ._convert import flag, text
from ._core import Core
from ._library import lib
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
            _, handle = ask(self._core, lib.consul_session_create, options, native)
        return take_text(handle)

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
            _, handle = ask(self._core, lib.consul_session_start, options, native, anew)
        return KeptSession(self._core, handle)

    def renew(self, session: AnySession, **options: Unpack[CallOptions]) -> Session:
        """Starts the TTL of a session anew, and gives the session. Raises SessionInvalid when it
        does not exist any more."""
        arguments = session_id(session)
        _, handle = ask(self._core, lib.consul_session_renew, options, arguments)
        return SESSIONS.take(handle)[0]

    def destroy(self, session: AnySession, **options: Unpack[CallOptions]) -> None:
        """Ends a session, which need not exist: its keys are released or deleted."""
        do(self._core, lib.consul_session_destroy, options, session_id(session))

    def info(self, session: AnySession, **options: Unpack[CallOptions]) -> Optional[Session]:
        """Reads a session; None when it does not exist."""
        return self.info_with_meta(session, **options)[0]

    def info_with_meta(
        self, session: AnySession, **options: Unpack[CallOptions]
    ) -> tuple[Optional[Session], Meta]:
        """Reads a session, or None, and what the answer's headers say."""
        _, handle = ask(self._core, lib.consul_session_info, options, session_id(session))
        return SESSIONS.take_one(handle)

    def node(self, node: str, **options: Unpack[CallOptions]) -> Rows[Session]:
        """Reads the sessions of a node."""
        _, handle = ask(self._core, lib.consul_session_node, options, text(node, "node"))
        return SESSIONS.take(handle)

    def list(self, **options: Unpack[CallOptions]) -> Rows[Session]:
        """Reads all sessions."""
        _, handle = ask(self._core, lib.consul_session_list, options)
        return SESSIONS.take(handle)
