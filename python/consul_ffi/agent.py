"""The agent that the client talks to, and what is registered there: `client.agent`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Mapping, Optional

from . import _abi, _kinds, _outcome
from ._answers import CHECKS, INSTANCES, MEMBERS, SERVICES
from ._convert import flag, optional_text, text
from ._core import Core
from ._library import lib
from ._memory import text as read_text
from ._outcome import nothing
from .results import AgentInfo, Check, Instance, Member, Rows, Service
from .specs import CheckSpec, ServiceSpec

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class Agent:
    """Registers services and checks, reports on them, reads what the agent has. The keyword
    arguments of each method are the options of the call."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def service_register(self, spec: ServiceSpec, **options: Unpack[CallOptions]) -> None:
        """Registers a service with its checks, or changes the one that has its id."""
        with _kinds.SERVICE.opened(spec) as native:
            return self._core.do(nothing, lib.consul_agent_service_register, options, native)

    def service_deregister(self, service_id: str, **options: Unpack[CallOptions]) -> None:
        """Deregisters a service with its checks; it need not be registered."""
        arguments = text(service_id, "service_id")
        return self._core.do(nothing, lib.consul_agent_service_deregister, options, arguments)

    def check_register(self, spec: CheckSpec, **options: Unpack[CallOptions]) -> None:
        """Registers a check, or changes the one that has its id."""
        with _kinds.CHECK.opened(spec) as native:
            return self._core.do(nothing, lib.consul_agent_check_register, options, native)

    def check_deregister(self, check_id: str, **options: Unpack[CallOptions]) -> None:
        """Deregisters a check, which need not be registered."""
        return self._core.do(nothing, lib.consul_agent_check_deregister, options, text(check_id, "check_id"))

    def _report(
        self,
        function: Callable[..., int],
        check_id: str,
        note: Optional[str],
        options: Mapping[str, object],
    ) -> None:
        arguments = text(check_id, "check_id"), optional_text(note, "note")
        return self._core.do(_known("TTL check", check_id), function, options, *arguments)

    def check_pass(
        self, check_id: str, note: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> None:
        """Reports a TTL check as passing. Raises NotFound when the agent has no such TTL check. The
        note is for people; every change of it wakes all who watch the service."""
        return self._report(lib.consul_agent_check_pass, check_id, note, options)

    def check_warn(
        self, check_id: str, note: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> None:
        """Reports a TTL check as warning; as `check_pass`."""
        return self._report(lib.consul_agent_check_warn, check_id, note, options)

    def check_fail(
        self, check_id: str, note: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> None:
        """Reports a TTL check as critical; as `check_pass`."""
        return self._report(lib.consul_agent_check_fail, check_id, note, options)

    def check_update(
        self,
        check_id: str,
        status: str,
        output: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Reports the status of a TTL check, `"passing"`, `"warning"` or `"critical"`, with its
        output; as `check_pass`."""
        texts = text(check_id, "check_id"), text(status, "status"), optional_text(output, "output")
        known = _known("TTL check", check_id)
        return self._core.do(known, lib.consul_agent_check_update, options, *texts)

    def maintenance(
        self, enable: bool, reason: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> None:
        """Puts the agent's node into maintenance, or ends it."""
        arguments = flag(enable, "enable"), optional_text(reason, "reason")
        return self._core.do(nothing, lib.consul_agent_maintenance, options, *arguments)

    def service_maintenance(
        self,
        service_id: str,
        enable: bool,
        reason: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> None:
        """Puts one service into maintenance, or ends it. Raises NotFound when it is not
        registered."""
        name, why = text(service_id, "service_id"), optional_text(reason, "reason")
        arguments = name, flag(enable, "enable"), why
        function = lib.consul_agent_service_maintenance
        return self._core.do(_known("service", service_id), function, options, *arguments)

    def self(self, **options: Unpack[CallOptions]) -> AgentInfo:
        """Reads who the agent is and how it is configured."""
        return self._core.ask(_take_info, lib.consul_agent_self, options)

    def join(self, address: str, wan: bool = False, **options: Unpack[CallOptions]) -> None:
        """Makes the agent join the cluster of the agent at this address; with `wan`, the pool that
        joins the datacenters."""
        arguments = text(address, "address"), flag(wan, "wan")
        return self._core.do(nothing, lib.consul_agent_join, options, *arguments)

    def leave(self, **options: Unpack[CallOptions]) -> None:
        """Makes the agent leave the cluster in order, and end."""
        return self._core.do(nothing, lib.consul_agent_leave, options)

    def force_leave(
        self, node: str, prune: bool = False, **options: Unpack[CallOptions]
    ) -> None:
        """Takes a node that has failed for one that has left; with `prune` it is removed from the
        list of members, too."""
        arguments = text(node, "node"), flag(prune, "prune")
        return self._core.do(nothing, lib.consul_agent_force_leave, options, *arguments)

    def members(self, wan: bool = False, **options: Unpack[CallOptions]) -> Rows[Member]:
        """Reads the members of the agent's gossip pool; with `wan`, of the pool that joins the
        datacenters."""
        return self._core.ask(MEMBERS.take, lib.consul_agent_members, options, flag(wan, "wan"))

    def services(self, **options: Unpack[CallOptions]) -> Rows[Service]:
        """Reads the services that are registered with the agent."""
        return self._core.ask(SERVICES.take, lib.consul_agent_services, options)

    def service(
        self,
        service_id: str,
        content_hash: Optional[str] = None,
        **options: Unpack[CallOptions],
    ) -> Optional[Service]:
        """Reads a service that is registered with the agent; None when there is none. With the
        `content_hash` of an earlier answer it waits until the service is not as it was, or
        `wait_ms` are over."""
        arguments = text(service_id, "service_id"), optional_text(content_hash, "content_hash")
        return self._core.ask(SERVICES.take_one, lib.consul_agent_service, options, *arguments)

    def checks(self, **options: Unpack[CallOptions]) -> Rows[Check]:
        """Reads the checks that the agent runs."""
        return self._core.ask(CHECKS.take, lib.consul_agent_checks, options)

    def service_health(
        self, service_id: str, **options: Unpack[CallOptions]
    ) -> Optional[Instance]:
        """Reads how a service on this agent is; None when it is not registered."""
        arguments, function = text(service_id, "service_id"), lib.consul_agent_service_health
        return self._core.ask(INSTANCES.take_one, function, options, arguments)

    def services_health(
        self, service: str, **options: Unpack[CallOptions]
    ) -> Rows[Instance]:
        """Reads how the instances of a service on this agent are, by its name."""
        arguments = text(service, "service")
        return self._core.ask(INSTANCES.take, lib.consul_agent_services_health, options, arguments)


def _known(what: str, id: str) -> Callable[[int], None]:
    """Raises NotFound, which names it, when the agent does not have what a call is about."""

    def finish(status: int) -> None:
        if status == _abi.CONSUL_NOT_FOUND:
            raise _outcome.new(status, f'the agent has no {what} "{id}"')
        _outcome.check(status)

    return finish


def _take_info(_status: int, handle: Optional[int]) -> AgentInfo:
    try:
        row = _abi.AGENT.read(lib.consul_agent_info_row(handle))
        return AgentInfo(
            node_name=read_text(row.node_name, row.node_name_len),
            node_id=read_text(row.node_id, row.node_id_len),
            datacenter=read_text(row.datacenter, row.datacenter_len),
            version=read_text(row.version, row.version_len),
            is_server=row.is_server,
            json=read_text(row.json, row.json_len),
        )
    finally:
        lib.consul_agent_info_free(handle)
