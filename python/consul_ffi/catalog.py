"""What the servers know of nodes and services: `client.catalog`.

A service belongs into the catalog through its agent (`client.agent.service_register`). What is
written here directly is for nodes without an agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Mapping, Optional, Sequence

from . import _kinds, _rows
from ._answers import INSTANCES, NODES, SERVICE_NAMES, SERVICES, STRINGS
from ._convert import text
from ._core import Core
from ._describe import string_array
from ._library import lib
from ._outcome import nothing
from .results import Instance, Meta, Node, NodeServices, Rows, Service, ServiceName
from .specs import Registration

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class Catalog:
    """Reads and writes the catalog. The keyword arguments of each method are the options of the
    call."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def nodes(self, **options: Unpack[CallOptions]) -> Rows[Node]:
        """Reads the nodes."""
        return self._core.ask(NODES.take, lib.consul_catalog_nodes, options)

    def services(self, **options: Unpack[CallOptions]) -> Rows[ServiceName]:
        """Reads the names of the services."""
        return self._core.ask(SERVICE_NAMES.take, lib.consul_catalog_services, options)

    def _instances(
        self,
        function: Callable[..., int],
        service: str,
        tags: Sequence[str],
        options: Mapping[str, object],
    ) -> Rows[Instance]:
        array = string_array(tags, "tags")
        arguments = text(service, "service"), array, len(array)
        return self._core.ask(INSTANCES.take, function, options, *arguments)

    def service(
        self, service: str, tags: Sequence[str] = (), **options: Unpack[CallOptions]
    ) -> Rows[Instance]:
        """Reads the instances of a service that have all of these tags, whatever their health."""
        return self._instances(lib.consul_catalog_service, service, tags, options)

    def connect(
        self, service: str, tags: Sequence[str] = (), **options: Unpack[CallOptions]
    ) -> Rows[Instance]:
        """Reads what to connect to in the service mesh for a service: its proxies, and those
        instances that speak for themselves."""
        return self._instances(lib.consul_catalog_connect, service, tags, options)

    def node(self, node: str, **options: Unpack[CallOptions]) -> Optional[NodeServices]:
        """Reads a node with the services on it; None when it does not exist."""
        return self._core.ask(_take_node, lib.consul_catalog_node, options, text(node, "node"))

    def node_with_meta(
        self, node: str, **options: Unpack[CallOptions]
    ) -> tuple[Optional[NodeServices], Meta]:
        """Reads a node with the services on it, or None, and what the answer's headers say."""
        arguments = text(node, "node")
        return self._core.ask(_take_node_and_meta, lib.consul_catalog_node, options, arguments)

    def node_services(self, node: str, **options: Unpack[CallOptions]) -> Rows[Service]:
        """Reads the services on a node, of every namespace that the options name (Consul
        Enterprise); none when it does not exist."""
        arguments = text(node, "node")
        return self._core.ask(SERVICES.take, lib.consul_catalog_node_services, options, arguments)

    def datacenters(self, **options: Unpack[CallOptions]) -> Rows[str]:
        """Reads the known datacenters, the nearest first."""
        return self._core.ask(STRINGS.take, lib.consul_catalog_datacenters, options)

    def register(self, registration: Registration, **options: Unpack[CallOptions]) -> None:
        """Writes a node, a service and checks in one step. Doing it again changes nothing."""
        with _kinds.REGISTRATION.opened(registration) as native:
            return self._core.do(nothing, lib.consul_catalog_register, options, native)

    def deregister_node(self, node: str, **options: Unpack[CallOptions]) -> None:
        """Removes a node, which need not exist, with all its services and checks."""
        return self._core.do(nothing, lib.consul_catalog_deregister_node, options, text(node, "node"))

    def deregister_service(
        self, node: str, service_id: str, **options: Unpack[CallOptions]
    ) -> None:
        """Removes a service, which need not exist, from a node, with its checks."""
        arguments = text(node, "node"), text(service_id, "service_id")
        return self._core.do(nothing, lib.consul_catalog_deregister_service, options, *arguments)

    def deregister_check(
        self, node: str, check_id: str, **options: Unpack[CallOptions]
    ) -> None:
        """Removes a check, which need not exist, from a node."""
        arguments = text(node, "node"), text(check_id, "check_id")
        return self._core.do(nothing, lib.consul_catalog_deregister_check, options, *arguments)


def _take_node_and_meta(
    status: int, handle: Optional[int]
) -> tuple[Optional[NodeServices], Meta]:
    address = lib.consul_services_node(handle)
    found = _rows.node(address) if address else None
    services = SERVICES.take(status, handle)
    return (NodeServices(found, services) if found else None), services.meta


def _take_node(status: int, handle: Optional[int]) -> Optional[NodeServices]:
    return _take_node_and_meta(status, handle)[0]
