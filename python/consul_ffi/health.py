"""Where services run, and how they are: `client.health`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Mapping, Sequence

from ._answers import CHECKS, INSTANCES
from ._convert import flag, text
from ._core import Core
from ._describe import string_array
from ._library import lib
from .results import Check, Instance, Rows

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class Health:
    """Reads health. The keyword arguments of each method are the options of the call."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def _instances(
        self,
        function: Callable[..., int],
        service: str,
        passing: bool,
        tags: Sequence[str],
        options: Mapping[str, object],
    ) -> Rows[Instance]:
        array = string_array(tags, "tags")
        arguments = text(service, "service"), flag(passing, "passing"), array, len(array)
        return self._core.ask(INSTANCES.take, function, options, *arguments)

    def service(
        self,
        service: str,
        passing: bool = False,
        tags: Sequence[str] = (),
        **options: Unpack[CallOptions],
    ) -> Rows[Instance]:
        """Finds the instances of a service that have all of these tags; with `passing` only those
        whose checks all pass, their node's included."""
        return self._instances(lib.consul_health_service, service, passing, tags, options)

    def connect(
        self,
        service: str,
        passing: bool = False,
        tags: Sequence[str] = (),
        **options: Unpack[CallOptions],
    ) -> Rows[Instance]:
        """Finds what to connect to in the service mesh for a service: its proxies, and those
        instances that speak for themselves."""
        return self._instances(lib.consul_health_connect, service, passing, tags, options)

    def ingress(
        self,
        service: str,
        passing: bool = False,
        tags: Sequence[str] = (),
        **options: Unpack[CallOptions],
    ) -> Rows[Instance]:
        """Finds the ingress gateways that let traffic in for a service."""
        return self._instances(lib.consul_health_ingress, service, passing, tags, options)

    def node(self, node: str, **options: Unpack[CallOptions]) -> Rows[Check]:
        """Reads the checks of a node and of what runs on it; none for one that does not exist."""
        return self._core.ask(CHECKS.take, lib.consul_health_node, options, text(node, "node"))

    def checks(self, service: str, **options: Unpack[CallOptions]) -> Rows[Check]:
        """Reads the checks of a service's instances, those of their nodes left out."""
        return self._core.ask(CHECKS.take, lib.consul_health_checks, options, text(service, "service"))

    def state(self, state: str, **options: Unpack[CallOptions]) -> Rows[Check]:
        """Reads the checks in a state: `"any"`, `"passing"`, `"warning"` or `"critical"`."""
        return self._core.ask(CHECKS.take, lib.consul_health_state, options, text(state, "state"))
