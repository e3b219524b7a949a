"""Addresses that change, for asyncio: `async for changes in client.endpoint_changes()`."""

from __future__ import annotations

from .. import _abi, _endpoints, _event, _outcome
from .._library import lib
from ..errors import Cancelled, Closed
from ..results import EndpointChange
from ._core import Awaiting
from ._news import News


class _Told(News):
    """What has changed and nobody has asked for yet, by address."""

    def __init__(self) -> None:
        super().__init__(_abi.CONSUL_EVENT_ENDPOINT_ENDED)
        self.changes: dict[str, EndpointChange] = {}

    def arrived(self, event: int) -> bool:
        if not self._is_last(event):
            for change in _event.result(event, _endpoints.take_changes):
                self._add(change)
        return super().arrived(event)

    def _add(self, change: EndpointChange) -> None:
        before = self.changes.get(change.address)
        if before is not None:
            change = change._replace(
                state_before=before.state_before,
                was_in_use=before.was_in_use,
                changes=before.changes + change.changes,
                reason=change.reason or before.reason,
            )
        self.changes[change.address] = change


class EndpointChanges:
    """Each time that addresses of a client have changed, which: `async for`. It ends when the client is
    closed, or another one takes its place."""

    def __init__(self, core: Awaiting) -> None:
        # Its inbox is closed when nobody knows it any more.
        self._core, self._told = core, _Told()
        inbox = core.inbox()
        tag = inbox.next_tag()
        function = lib.consul_client_set_endpoint_queue
        _outcome.check(function(core.handle.value, inbox.request.queue, tag))
        inbox.expect(tag, self._told)

    def end(self) -> None:
        """Another one takes its place."""
        self._told.call_off()

    def __aiter__(self) -> EndpointChanges:
        return self

    async def __anext__(self) -> list[EndpointChange]:
        told = self._told
        while not told.changes:
            if isinstance(told.ended, (Cancelled, Closed)):
                raise StopAsyncIteration
            if told.ended is not None:
                raise told.ended
            await told.wait()
        changes, told.changes = told.changes, {}
        return list(changes.values())
