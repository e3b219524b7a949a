"""What operators do: the servers of Raft, autopilot, the gossip keys. `client.operator`.

What is Consul's own JSON comes and goes as a dict with Consul's names, such as
`config["CleanupDeadServers"]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional

from . import _abi
from ._answers import RAFT_PEERS, take_json
from ._convert import json_text, text, uint64
from ._core import Core
from ._library import lib
from ._outcome import answered, nothing
from .results import RaftPeer, Rows

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions

_unless_conflict = answered(_abi.CONSUL_CONFLICT)


class Operator:
    """Reads and changes how the cluster is run. A token needs the right `operator`, for the keys
    `keyring`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def cluster_report(self, **options: Unpack[CallOptions]) -> Dict[str, Any]:
        """How the cluster is: `leader` and `peers`, `healthy` and `failure_tolerance`, `servers` as
        Raft and autopilot have them, `endpoints` as this client has seen them. A part that could
        not be had is in `missing` with the reason, and the others are there all the same."""
        return self._core.ask(take_json, lib.consul_operator_cluster_report, options)

    def raft_peers(self, **options: Unpack[CallOptions]) -> Rows[RaftPeer]:
        """Reads the servers of Raft, those among them that are gone included."""
        return self._core.ask(RAFT_PEERS.take, lib.consul_operator_raft_peers, options)

    def raft_peer_remove(
        self,
        id: Optional[str] = None,
        address: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Removes a server that is gone for good from Raft: the one with this id, or at this
        address. One that lives is to leave by itself."""
        if (id is None) == (address is None):
            raise TypeError("either id or address")
        if id is not None:
            arguments, remove = text(id, "id"), lib.consul_operator_raft_peer_remove
        else:
            arguments = text(address or "", "address")
            remove = lib.consul_operator_raft_address_remove
        return self._core.do(nothing, remove, options, arguments)

    def autopilot_config(self, **options: Unpack[CallOptions]) -> Dict[str, Any]:
        """Reads how autopilot is configured."""
        return self._core.ask(take_json, lib.consul_operator_autopilot_config, options)

    def autopilot_config_set(
        self, config: Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> None:
        """Replaces autopilot's configuration, of which what is not there becomes zero or False."""
        arguments = json_text(config, "config")
        return self._core.do(nothing, lib.consul_operator_autopilot_config_set, options, arguments)

    def autopilot_config_cas(
        self, config: Mapping[str, Any], modify_index: int, **options: Unpack[CallOptions]
    ) -> bool:
        """As `autopilot_config_set`, if its `ModifyIndex` is still this one. False when it is
        not."""
        arguments = json_text(config, "config"), uint64(modify_index, "modify_index")
        cas = lib.consul_operator_autopilot_config_cas
        return self._core.do(_unless_conflict, cas, options, *arguments)

    def autopilot_health(self, **options: Unpack[CallOptions]) -> Dict[str, Any]:
        """Reads how the servers are in the eyes of autopilot. That they are not healthy is an
        answer, too."""
        return self._core.ask(take_json, lib.consul_operator_autopilot_health, options)

    def autopilot_state(self, **options: Unpack[CallOptions]) -> Dict[str, Any]:
        """Reads the whole state of autopilot. Raises Unsupported before Consul 1.9."""
        return self._core.ask(take_json, lib.consul_operator_autopilot_state, options)

    def keyring(self, **options: Unpack[CallOptions]) -> List[Dict[str, Any]]:
        """Reads the keys of all gossip pools; `Keys` has how many members know each key."""
        return self._core.ask(take_json, lib.consul_operator_keyring_list, options)

    def keyring_install(self, key: str, **options: Unpack[CallOptions]) -> None:
        """Gives a new key, 16, 24 or 32 bytes in base64, to all members; it is used once
        `keyring_use` says so."""
        install = lib.consul_operator_keyring_install
        return self._core.do(nothing, install, options, text(key, "key"))

    def keyring_use(self, key: str, **options: Unpack[CallOptions]) -> None:
        """Makes all members encrypt gossip with a key that they have."""
        return self._core.do(nothing, lib.consul_operator_keyring_use, options, text(key, "key"))

    def keyring_remove(self, key: str, **options: Unpack[CallOptions]) -> None:
        """Takes a key that is not in use from all members."""
        return self._core.do(nothing, lib.consul_operator_keyring_remove, options, text(key, "key"))
