"""The servers of the datacenter: `client.status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ._answers import STRINGS, take_text
from ._core import Core
from ._library import lib
from .results import Rows

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class Status:
    """Who leads, and who votes. Neither needs a token."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def leader(self, **options: Unpack[CallOptions]) -> Optional[str]:
        """Reads the leader among the servers, as `address:port`; None while there is none."""
        return self._core.ask(_take_leader, lib.consul_status_leader, options)

    def peers(self, **options: Unpack[CallOptions]) -> Rows[str]:
        """Reads the servers that vote, each as `address:port`."""
        return self._core.ask(STRINGS.take, lib.consul_status_peers, options)


def _take_leader(status: int, handle: Optional[int]) -> Optional[str]:
    return None if status else take_text(status, handle)
