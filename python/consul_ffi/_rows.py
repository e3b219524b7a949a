"""Reads the rows of answers."""

from __future__ import annotations

from itertools import repeat, starmap
from typing import Iterable

from . import _abi
from ._blocks import Columns
from ._library import lib
from ._memory import MEMORY, mapping, optional, pointers, text, texts
from .results import (
    Address,
    Check,
    Instance,
    Member,
    Meta,
    Node,
    Pair,
    RaftPeer,
    Service,
    ServiceCheckRef,
    ServiceName,
    Session,
    UserEvent,
    Weights,
)

_BEHAVIORS = {_abi.CONSUL_BEHAVIOR_RELEASE: "release", _abi.CONSUL_BEHAVIOR_DELETE: "delete"}
_PAIRS = Columns(_abi.KV_PAIR, lib.consul_kv_pair_size())
_STRINGS = Columns(_abi.STRING, lib.consul_string_size())
_unpack_pair = _abi.KV_PAIR.unpack_from
_new = tuple.__new__


def meta(address: int) -> Meta:
    """What an answer's headers say."""
    row = _abi.META.read(address)
    return Meta(
        row.index, row.last_contact_ms, row.cache_age_s, row.known_leader, row.cache_hit
    )


def pair_block(address: int, count: int) -> Iterable[Pair]:
    """So many keys with their values, one after the other in memory. It is read before the library
    frees it."""
    rows = _PAIRS.block(address, count)
    # Most keys were written once.
    created, modified = rows.alike("create_index", "modify_index")
    fields = zip(
        rows.text_run("key"),
        rows.data_run("value"),
        rows.numbers("flags"),
        rows.optional_texts("session"),
        rows.numbers("lock_index"),
        created,
        modified,
    )
    # What `Pair._make` does, without a function of ours for each. `starmap` makes one tuple less for
    # each than `map`.
    return starmap(_new, zip(repeat(Pair), fields))


def pair(address: int) -> Pair:
    """A key with its value."""
    row = _unpack_pair(MEMORY, address)
    key, key_len, value, value_len, flags, holder, holder_len, lock, create, modify = row
    return _new(
        Pair,
        (
            MEMORY[key : key + key_len].decode(),
            MEMORY[value : value + value_len],
            flags,
            MEMORY[holder : holder + holder_len].decode() if holder_len else None,
            lock,
            create,
            modify,
        ),
    )


def string_block(address: int, count: int) -> Iterable[str]:
    """So many strings of a list; as `pair_block`."""
    return _STRINGS.block(address, count).text_run("data")


def session(address: int) -> Session:
    """A session."""
    row = _abi.SESSION.read(address)
    ids = texts(row.service_checks, row.service_check_count)
    namespaces = texts(row.service_check_namespaces, row.service_check_count)
    return Session(
        id=text(row.id, row.id_len),
        name=text(row.name, row.name_len),
        node=text(row.node, row.node_len),
        namespace=optional(row.namespace_name, row.namespace_name_len),
        partition=optional(row.partition, row.partition_len),
        node_checks=texts(row.node_checks, row.node_check_count),
        service_checks=tuple(map(ServiceCheckRef, ids, namespaces)),
        ttl_ms=row.ttl_ms,
        lock_delay_ms=row.lock_delay_ms,
        behavior=_BEHAVIORS.get(row.behavior, "release"),
        create_index=row.create_index,
        modify_index=row.modify_index,
    )


def check(address: int) -> Check:
    """A health check."""
    row = _abi.CHECK.read(address)
    return Check(
        node=text(row.node, row.node_len),
        id=text(row.check_id, row.check_id_len),
        name=text(row.name, row.name_len),
        status=text(row.status, row.status_len),
        notes=text(row.notes, row.notes_len),
        output=text(row.output, row.output_len),
        service_id=optional(row.service_id, row.service_id_len),
        service=optional(row.service, row.service_len),
        service_tags=texts(row.service_tags, row.service_tag_count),
        kind=text(row.kind, row.kind_len),
        create_index=row.create_index,
        modify_index=row.modify_index,
    )


def node(address: int) -> Node:
    """A node."""
    row = _abi.NODE.read(address)
    return Node(
        name=text(row.name, row.name_len),
        id=text(row.id, row.id_len),
        address=text(row.address, row.address_len),
        datacenter=text(row.datacenter, row.datacenter_len),
        tagged_addresses=mapping(
            row.tagged_address_names, row.tagged_addresses, row.tagged_address_count
        ),
        meta=mapping(row.meta_keys, row.meta_values, row.meta_count),
        create_index=row.create_index,
        modify_index=row.modify_index,
    )


def _addresses(address: int, count: int) -> dict[str, Address]:
    rows = map(_abi.SERVICE_ADDRESS.read, pointers(address, count))
    return {
        text(row.name, row.name_len): Address(text(row.address, row.address_len), row.port)
        for row in rows
    }


def service(address: int) -> Service:
    """An instance of a service."""
    row = _abi.SERVICE.read(address)
    return Service(
        id=text(row.id, row.id_len),
        name=text(row.name, row.name_len),
        address=text(row.address, row.address_len),
        port=row.port,
        kind=optional(row.kind, row.kind_len),
        tags=texts(row.tags, row.tag_count),
        meta=mapping(row.meta_keys, row.meta_values, row.meta_count),
        tagged_addresses=_addresses(row.tagged_addresses, row.tagged_address_count),
        weights=Weights(row.weight_passing, row.weight_warning),
        enable_tag_override=row.enable_tag_override,
        proxy_json=optional(row.proxy_json, row.proxy_json_len),
        connect_json=optional(row.connect_json, row.connect_json_len),
        content_hash=optional(row.content_hash, row.content_hash_len),
        create_index=row.create_index,
        modify_index=row.modify_index,
    )


def instance(address: int) -> Instance:
    """An instance of a service with its node and checks."""
    row = _abi.SERVICE_ENTRY.read(address)
    of_service = service(row.service)
    return Instance(
        service=of_service,
        node=node(row.node),
        checks=tuple(map(check, pointers(row.checks, row.check_count))),
        address=text(row.address, row.address_len),
        port=of_service.port,
        status=optional(row.status, row.status_len),
    )


def service_name(address: int) -> ServiceName:
    """The name of a service."""
    row = _abi.SERVICE_NAME.read(address)
    return ServiceName(text(row.name, row.name_len), texts(row.tags, row.tag_count))


def member(address: int) -> Member:
    """A member of the gossip pool."""
    row = _abi.MEMBER.read(address)
    return Member(
        name=text(row.name, row.name_len),
        address=text(row.address, row.address_len),
        port=row.port,
        status=text(row.status_name, row.status_name_len),
        tags=mapping(row.tag_keys, row.tag_values, row.tag_count),
        is_server=row.is_server,
    )


def raft_peer(address: int) -> RaftPeer:
    """A server as Raft has it."""
    row = _abi.RAFT_PEER.read(address)
    return RaftPeer(
        id=text(row.id, row.id_len),
        node=text(row.node, row.node_len),
        address=text(row.address, row.address_len),
        protocol_version=text(row.protocol_version, row.protocol_version_len),
        is_leader=row.is_leader,
        is_voter=row.is_voter,
    )


def user_event(address: int) -> UserEvent:
    """An event that somebody fired."""
    row = _abi.USER_EVENT.read(address)
    return UserEvent(
        id=text(row.id, row.id_len),
        name=text(row.name, row.name_len),
        payload=MEMORY[row.payload : row.payload + row.payload_len],
        node_filter=text(row.node_filter, row.node_filter_len),
        service_filter=text(row.service_filter, row.service_filter_len),
        tag_filter=text(row.tag_filter, row.tag_filter_len),
        ltime=row.ltime,
    )
