"""Descriptions of what is registered or created: sessions, checks, services, nodes.

What is None is left to Consul. The library checks a description when it is used, before anything is
sent, and says what is not allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence, Union

from .results import Address, ServiceCheckRef, Weights


@dataclass(frozen=True)
class SessionSpec:
    """What a session shall be."""

    #: A name for people.
    name: Optional[str] = None
    #: The node that it belongs to; the agent's own otherwise.
    node: Optional[str] = None
    #: It ends when it is not renewed for this time: 10 s to 24 h; 0 means that it needs no renewal.
    ttl_ms: Optional[int] = None
    #: How long its keys cannot be acquired after it ended while holding them: 0 to 60 s, 15 s
    #: otherwise.
    lock_delay_ms: Optional[int] = None
    #: What happens to its keys when it ends: `"release"`, as otherwise, or `"delete"`.
    behavior: Optional[str] = None
    #: The checks of the node that end it when one is critical, `serfHealth` otherwise; an empty
    #: list means no check at all.
    node_checks: Optional[Sequence[str]] = None
    #: The checks of services that end it when one is critical.
    service_checks: Sequence[Union[str, ServiceCheckRef]] = ()


@dataclass(frozen=True)
class Docker:
    """A container to run a script check in."""

    container: str
    #: The shell to run it by; Docker's own otherwise.
    shell: Optional[str] = None


@dataclass(frozen=True)
class CheckSpec:
    """A check. It has exactly one kind: `ttl_ms`, `http`, `tcp`, `grpc`, `script`, `alias_service`
    or `alias_node`. Every kind that the agent runs needs `interval_ms`."""

    #: May be None within a service, where Consul names it.
    name: Optional[str] = None
    #: Unique on the agent; its name otherwise.
    id: Optional[str] = None
    #: A text for people.
    notes: Optional[str] = None
    #: The service that it is about, by its id; the whole node otherwise. A check within a service
    #: takes none.
    service_id: Optional[str] = None
    #: What it is until it has first checked: `"passing"`, `"warning"` or `"critical"`, as
    #: otherwise.
    status: Optional[str] = None
    #: Turns critical when nobody reports on it for this long.
    ttl_ms: Optional[int] = None
    #: The agent asks this URL: 2xx passes, 429 warns, all else is critical.
    http: Optional[str] = None
    http_method: Optional[str] = None
    #: Each with one value, or with a list of them.
    http_headers: Optional[Mapping[str, Union[str, Sequence[str]]]] = None
    http_body: Optional[str] = None
    #: Leaves the certificate of an HTTP or gRPC check's server unchecked.
    tls_skip_verify: Optional[bool] = None
    #: The name to expect in the certificate of an HTTP check's server (Consul 1.9).
    tls_server_name: Optional[str] = None
    #: The agent connects to this `host:port`.
    tcp: Optional[str] = None
    #: The agent asks the standard health service at `host:port` or `host:port/service`.
    grpc: Optional[str] = None
    grpc_use_tls: Optional[bool] = None
    #: The agent runs this program with these arguments: 0 passes, 1 warns, all else is critical.
    script: Optional[Sequence[str]] = None
    #: Runs the script within a container.
    docker: Optional[Docker] = None
    #: As healthy as the service with this id.
    alias_service: Optional[str] = None
    #: As healthy as this node, which must exist.
    alias_node: Optional[str] = None
    #: How often the agent checks, 1 s at least.
    interval_ms: Optional[int] = None
    #: How long one check may take.
    timeout_ms: Optional[int] = None
    #: Deregisters the service after it was critical for this long, a minute at least.
    deregister_after_ms: Optional[int] = None
    #: How often in a row it must succeed to turn passing.
    success_before_passing: Optional[int] = None
    #: How often in a row it must fail to turn critical.
    failures_before_critical: Optional[int] = None


@dataclass(frozen=True)
class ServiceSpec:
    """An instance of a service."""

    name: str
    #: Unique on the agent; its name otherwise.
    id: Optional[str] = None
    #: Where it listens; the node's address otherwise.
    address: Optional[str] = None
    port: Optional[int] = None
    tags: Sequence[str] = ()
    #: At most 64 pairs, the key of 1 to 128 letters, digits, `-` and `_`, the value of at most 512
    #: bytes.
    meta: Optional[Mapping[str, str]] = None
    tagged_addresses: Optional[Mapping[str, Address]] = None
    weights: Optional[Weights] = None
    #: Lets others change its tags in the catalog without the agent undoing it.
    enable_tag_override: Optional[bool] = None
    #: What it is when it is no plain service, such as `"connect-proxy"`.
    kind: Optional[str] = None
    #: How a proxy is set up, as Consul's API has it: what JSON can hold, or JSON.
    proxy: Optional[Any] = None
    #: How it takes part in the service mesh, as Consul's API has it.
    connect: Optional[Any] = None
    checks: Sequence[CheckSpec] = ()
    #: Removes the checks that it has and that are not described here. They stay otherwise.
    replace_existing_checks: Optional[bool] = None


@dataclass(frozen=True)
class CatalogCheck:
    """A check that is written into the catalog, and that nobody runs."""

    name: str
    #: `"passing"`, `"warning"` or `"critical"`.
    status: str
    #: Its name otherwise.
    id: Optional[str] = None
    #: The service that it is about; the node otherwise.
    service_id: Optional[str] = None
    notes: Optional[str] = None
    output: Optional[str] = None


@dataclass(frozen=True)
class Registration:
    """What is written into the catalog in one step, for nodes without an agent."""

    node: str
    #: May be None for a node that exists and is left as it is.
    address: Optional[str] = None
    #: The node's UUID.
    id: Optional[str] = None
    #: The node's datacenter, when it is not that of the call.
    datacenter: Optional[str] = None
    tagged_addresses: Optional[Mapping[str, str]] = None
    node_meta: Optional[Mapping[str, str]] = None
    #: The service on it; one with checks of its own is refused.
    service: Optional[ServiceSpec] = None
    checks: Sequence[CatalogCheck] = ()
