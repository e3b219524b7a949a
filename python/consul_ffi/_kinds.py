"""How each field of the descriptions in `specs.py` is set."""

from __future__ import annotations

from typing import Any

from . import _abi
from ._convert import optional_text, pairs, two, uint32, wrong
from ._convert import text as to_text
from ._describe import (
    Kind,
    choice,
    each,
    flag,
    json,
    lists,
    mapping,
    nested,
    string_list,
    text,
    uint64,
)
from ._describe import uint32 as number32
from ._library import lib
from ._outcome import check
from .results import Address, ServiceCheckRef, Weights
from .specs import CatalogCheck, CheckSpec, Docker, Registration, ServiceSpec, SessionSpec

_BEHAVIORS = {"release": _abi.CONSUL_BEHAVIOR_RELEASE, "delete": _abi.CONSUL_BEHAVIOR_DELETE}


def _add_service_check(handle: Any, value: str | ServiceCheckRef, place: str) -> None:
    ref = ServiceCheckRef(value) if isinstance(value, str) else value
    if not isinstance(ref, ServiceCheckRef):
        raise wrong(value, place, "a str or a ServiceCheckRef")
    namespace = to_text(ref.namespace, place) if ref.namespace else None
    check(lib.consul_session_spec_add_service_check(handle, to_text(ref.id, place), namespace))


SESSION = Kind(
    "session",
    SessionSpec,
    lib.consul_session_spec_new,
    lib.consul_session_spec_free,
    {
        "name": text(lib.consul_session_spec_set_name),
        "node": text(lib.consul_session_spec_set_node),
        "ttl_ms": uint64(lib.consul_session_spec_set_ttl_ms),
        "lock_delay_ms": uint64(lib.consul_session_spec_set_lock_delay_ms),
        "behavior": choice(lib.consul_session_spec_set_behavior, _BEHAVIORS),
        "node_checks": string_list(lib.consul_session_spec_set_node_checks),
        "service_checks": each(_add_service_check, of="texts or ServiceCheckRefs"),
    },
)


def _set_docker(handle: Any, value: Docker, place: str) -> None:
    if not isinstance(value, Docker):
        raise wrong(value, place, "a Docker")
    container = to_text(value.container, f"{place}.container")
    shell = optional_text(value.shell, f"{place}.shell")
    check(lib.consul_check_spec_set_docker(handle, container, shell))


CHECK = Kind(
    "check",
    CheckSpec,
    lib.consul_check_spec_new,
    lib.consul_check_spec_free,
    {
        "id": text(lib.consul_check_spec_set_id),
        "notes": text(lib.consul_check_spec_set_notes),
        "service_id": text(lib.consul_check_spec_set_service_id),
        "status": text(lib.consul_check_spec_set_status),
        "ttl_ms": uint64(lib.consul_check_spec_set_ttl_ms),
        "http": text(lib.consul_check_spec_set_http),
        "http_method": text(lib.consul_check_spec_set_http_method),
        "http_headers": lists(lib.consul_check_spec_add_http_header),
        "http_body": text(lib.consul_check_spec_set_http_body),
        "tls_skip_verify": flag(lib.consul_check_spec_set_tls_skip_verify),
        "tls_server_name": text(lib.consul_check_spec_set_tls_server_name),
        "tcp": text(lib.consul_check_spec_set_tcp),
        "grpc": text(lib.consul_check_spec_set_grpc),
        "grpc_use_tls": flag(lib.consul_check_spec_set_grpc_use_tls),
        "script": string_list(lib.consul_check_spec_set_script),
        "docker": _set_docker,
        "alias_service": text(lib.consul_check_spec_set_alias_service),
        "alias_node": text(lib.consul_check_spec_set_alias_node),
        "interval_ms": uint64(lib.consul_check_spec_set_interval_ms),
        "timeout_ms": uint64(lib.consul_check_spec_set_timeout_ms),
        "deregister_after_ms": uint64(lib.consul_check_spec_set_deregister_after_ms),
        "success_before_passing": number32(lib.consul_check_spec_set_success_before_passing),
        "failures_before_critical": number32(lib.consul_check_spec_set_failures_before_critical),
    },
    first=("name",),
    kinds=("ttl_ms", "http", "tcp", "grpc", "script", "alias_service", "alias_node"),
)


def _add_addresses(handle: Any, value: dict[str, Address], place: str) -> None:
    for name, given in pairs(value, place, "addresses"):
        where = f"{place}[{name!r}]"
        address, port = two(given, where, "two (address, port)")
        texts = to_text(name, f"a name in {place}"), to_text(address, where)
        check(lib.consul_service_spec_add_tagged_address(handle, *texts, uint32(port, where)))


def _set_weights(handle: Any, value: Weights, place: str) -> None:
    passing, warning = two(value, place, "two ints (passing, warning)")
    numbers = uint32(passing, f"{place}.passing"), uint32(warning, f"{place}.warning")
    check(lib.consul_service_spec_set_weights(handle, *numbers))


SERVICE = Kind(
    "service",
    ServiceSpec,
    lib.consul_service_spec_new,
    lib.consul_service_spec_free,
    {
        "id": text(lib.consul_service_spec_set_id),
        "address": text(lib.consul_service_spec_set_address),
        "port": number32(lib.consul_service_spec_set_port),
        "tags": each(text(lib.consul_service_spec_add_tag)),
        "meta": mapping(lib.consul_service_spec_add_meta),
        "tagged_addresses": _add_addresses,
        "weights": _set_weights,
        "enable_tag_override": flag(lib.consul_service_spec_set_enable_tag_override),
        "kind": text(lib.consul_service_spec_set_kind),
        "proxy": json(lib.consul_service_spec_set_proxy_json),
        "connect": json(lib.consul_service_spec_set_connect_json),
        "checks": each(nested(CHECK, lib.consul_service_spec_add_check), of="CheckSpec"),
        "replace_existing_checks": flag(lib.consul_service_spec_set_replace_existing_checks),
    },
    first=("name",),
)


def _add_catalog_check(handle: Any, value: CatalogCheck, place: str) -> None:
    if not isinstance(value, CatalogCheck):
        raise wrong(value, place, "a CatalogCheck")
    fields = value.id, value.name, value.status, value.service_id, value.notes, value.output
    texts = [optional_text(field, place) for field in fields]
    check(lib.consul_registration_add_check(handle, *texts))


REGISTRATION = Kind(
    "registration",
    Registration,
    lib.consul_registration_new,
    lib.consul_registration_free,
    {
        "id": text(lib.consul_registration_set_id),
        "datacenter": text(lib.consul_registration_set_datacenter),
        "tagged_addresses": mapping(lib.consul_registration_add_tagged_address),
        "node_meta": mapping(lib.consul_registration_add_node_meta),
        "service": nested(SERVICE, lib.consul_registration_set_service),
        "checks": each(_add_catalog_check, of="CatalogCheck"),
    },
    first=("node", "address"),
)
