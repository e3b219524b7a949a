"""User events, which agents pass on by gossip: `client.event`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ._answers import USER_EVENTS
from ._convert import Value, data, optional_text, text
from ._core import Core
from ._library import lib
from .results import Rows, UserEvent

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class Events:
    """Small messages to all agents of a datacenter: fast, and not kept. An agent remembers the last
    256, in an order of its own; what is fired while it is away is lost to it. `client.watch.events`
    tells of those that arrive. The keyword arguments of each method are the options of the call."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def fire(
        self,
        name: str,
        payload: Value = b"",
        *,
        node: Optional[str] = None,
        service: Optional[str] = None,
        tag: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> UserEvent:
        """Fires an event; returns it with its id, before any agent has heard of it. The payload is
        some 400 bytes at most; raises TooLarge when Consul does not take so much.

        `node`, `service` and `tag` are regular expressions of whom it is meant for: the node's
        name, the id of a service there, and a tag of that service; everybody otherwise."""
        sent = data(payload, "payload")
        arguments = (
            text(name, "name"),
            sent,
            len(sent),
            optional_text(node, "node"),
            optional_text(service, "service"),
            optional_text(tag, "tag"),
        )
        return self._core.ask(
            USER_EVENTS.take_first, lib.consul_user_event_fire, options, *arguments
        )

    def list(
        self, name: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> Rows[UserEvent]:
        """Reads the last events that the agent has heard of, at most 256, the oldest first; with a
        name those of this name. `meta.index` is a hash of the last one: it differs from that before,
        and may go down."""
        arguments = optional_text(name, "name")
        return self._core.ask(USER_EVENTS.take, lib.consul_user_event_list, options, arguments)
