"""Services, checks, nodes: registered, read and reported on."""

from __future__ import annotations

import unittest

import consul_ffi
from consul_ffi import (
    Address,
    CatalogCheck,
    CheckSpec,
    Docker,
    Registration,
    ServiceSpec,
    Weights,
)
from helper import ConsulTest, eventually, prefix


class Services(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.name = prefix()[:-1]
        self.agent = self.client.agent

    def register(self, **fields: object) -> None:
        checks = [CheckSpec(ttl_ms=60_000, notes="says it itself")]
        spec = ServiceSpec(self.name, **{"checks": checks, **fields})  # type: ignore[arg-type]
        self.agent.service_register(spec)

    def tearDown(self) -> None:
        for check in self.agent.checks():
            self.agent.check_deregister(check.id)
        self.agent.service_deregister(self.name)

    def test_a_service_is_what_was_described(self) -> None:
        self.register(
            address="10.0.0.1",
            port=8080,
            tags=["v1", "blue"],
            meta={"team": "ünited"},
            tagged_addresses={"wan": Address("1.2.3.4", 80)},
            weights=Weights(5, 2),
            enable_tag_override=True,
        )
        found = self.agent.service(self.name)
        self.assertEqual((found.id, found.name), (self.name, self.name))
        self.assertEqual((found.address, found.port), ("10.0.0.1", 8080))
        self.assertEqual((found.tags, found.meta), (("v1", "blue"), {"team": "ünited"}))
        self.assertEqual(found.tagged_addresses["wan"], Address("1.2.3.4", 80))
        self.assertEqual((found.weights, found.enable_tag_override), (Weights(5, 2), True))
        self.assertTrue(found.content_hash)
        self.assertIn(self.name, [service.id for service in self.agent.services()])

    def test_health_follows_the_reports(self) -> None:
        self.register(port=80, tags=["v1"])
        check = f"service:{self.name}"
        self.assertEqual(self.agent.service_health(self.name).status, "critical")
        self.agent.check_pass(check)
        (instance,) = eventually(lambda: self.client.health.service(self.name, passing=True))
        self.assertEqual((instance.port, instance.status), (80, "passing"))
        self.assertEqual(instance.address, instance.node.address)
        self.assertIn(check, [each.id for each in instance.checks])
        self.assertIn("lan", instance.node.tagged_addresses)
        self.assertEqual(len(self.client.health.service(self.name, tags=["v1"])), 1)
        self.assertEqual(self.client.health.service(self.name, tags=["v2"]), [])
        self.agent.check_warn(check, "slow")
        self.assertEqual(self.agent.services_health(self.name)[0].status, "warning")
        self.agent.check_fail(check)
        self.agent.check_update(check, "critical", "says why")
        (mine,) = [each for each in self.agent.checks() if each.id == check]
        self.assertEqual((mine.status, mine.output, mine.kind), ("critical", "says why", "ttl"))
        self.assertEqual((mine.service_id, mine.notes), (self.name, "says it itself"))
        node = instance.node.name
        self.assertIn(check, [each.id for each in self.client.health.node(node)])
        eventually(
            lambda: [c.status for c in self.client.health.checks(self.name)] == ["critical"]
        )
        self.assertIn(check, [each.id for each in self.client.health.state("critical")])

    def test_what_is_not_registered_is_none_to_read_and_an_error_to_report_on(self) -> None:
        self.assertIsNone(self.agent.service("no-such"))
        self.assertIsNone(self.agent.service_health("no-such"))
        self.assertEqual(self.agent.services_health("no-such"), [])
        for call in (self.agent.check_pass, self.agent.check_warn, self.agent.check_fail):
            with self.assertRaisesRegex(consul_ffi.NotFound, 'agent has no TTL check "no-such"'):
                call("no-such")
        with self.assertRaisesRegex(consul_ffi.NotFound, 'agent has no TTL check "no-such"'):
            self.agent.check_update("no-such", "passing")
        with self.assertRaisesRegex(consul_ffi.NotFound, 'agent has no service "no-such"'):
            self.agent.service_maintenance("no-such", True)
        self.agent.service_deregister("no-such")
        self.agent.check_deregister("no-such")

    def test_maintenance(self) -> None:
        self.register()
        self.agent.service_maintenance(self.name, True, "upgrade")
        self.assertEqual(self.agent.service_health(self.name).status, "maintenance")
        self.agent.service_maintenance(self.name, False)
        self.agent.maintenance(True)
        self.agent.maintenance(False)
        self.assertNotEqual(self.agent.service_health(self.name).status, "maintenance")

    def test_checks_of_every_kind_are_taken(self) -> None:
        self.register(checks=())
        every = {"service_id": self.name, "interval_ms": 3_600_000, "timeout_ms": 1000}
        kinds = [
            CheckSpec("ttl", ttl_ms=60_000, service_id=self.name, status="passing"),
            CheckSpec(
                "http",
                http="http://127.0.0.1:1/",
                http_method="POST",
                http_headers={"A": "b", "C": ["d", "e"]},
                http_body="body",
                tls_skip_verify=True,
                success_before_passing=2,
                failures_before_critical=3,
                **every,  # type: ignore[arg-type]
            ),
            CheckSpec("tcp", tcp="127.0.0.1:1", **every),  # type: ignore[arg-type]
            CheckSpec("grpc", grpc="127.0.0.1:1", grpc_use_tls=True, **every),  # type: ignore[arg-type]
            CheckSpec("alias", alias_service=self.name, service_id=self.name),
        ]
        for spec in kinds:
            self.agent.check_register(spec)
        found = {each.id: each.status for each in self.agent.checks()}
        self.assertEqual(found["ttl"], "passing")
        self.assertTrue({"http", "tcp", "grpc", "alias"} <= set(found))

    def test_descriptions_that_cannot_be_are_refused(self) -> None:
        for spec in (
            ServiceSpec(self.name, address="0.0.0.0"),
            ServiceSpec(self.name, port=70_000),
            ServiceSpec(self.name, meta={"a b": "c"}),
            ServiceSpec(self.name, tags=["a\0b"]),
            ServiceSpec(self.name, checks=[CheckSpec(ttl_ms=1000, http="http://a/")]),
            ServiceSpec(self.name, checks=[CheckSpec(script=["a"], docker=Docker("b"))]),
            ServiceSpec(self.name, proxy="no json"),
        ):
            with self.assertRaises(consul_ffi.ArgumentError):
                self.agent.service_register(spec)
        with self.assertRaisesRegex(TypeError, "service.tags must be a list"):
            self.agent.service_register(ServiceSpec(self.name, tags="v1"))
        self.assertIsNone(self.agent.service(self.name))

    def test_the_agent_says_who_it_is(self) -> None:
        info = self.agent.self()
        self.assertEqual((info.datacenter, info.is_server), ("dc1", True))
        self.assertRegex(info.version, r"^\d+\.\d+\.\d+")
        self.assertIn(info.node_id, info.json)
        (member,) = self.agent.members()
        self.assertEqual((member.name, member.status), (info.node_name, "alive"))
        self.assertEqual(member.tags["dc"], "dc1")


class CatalogAndStatus(ConsulTest):
    def test_a_node_without_an_agent(self) -> None:
        node = prefix()[:-1]
        self.client.catalog.register(
            Registration(
                node,
                "10.1.2.3",
                tagged_addresses={"wan": "1.2.3.4"},
                node_meta={"rack": "7"},
                service=ServiceSpec("printer", port=631, tags=["colour"]),
                checks=[CatalogCheck("paper", "warning", service_id="printer", output="low")],
            )
        )
        found = self.client.catalog.node(node)
        self.assertEqual((found.node.address, found.node.meta), ("10.1.2.3", {"rack": "7"}))
        self.assertEqual([service.port for service in found.services], [631])
        self.assertIn(node, [each.name for each in self.client.catalog.nodes()])
        self.assertEqual(
            [n.name for n in self.client.catalog.nodes(node_meta={"rack": "7"})], [node]
        )
        names = {each.name: each.tags for each in self.client.catalog.services()}
        self.assertEqual(names["printer"], ("colour",))
        (instance,) = self.client.catalog.service("printer", tags=["colour"])
        self.assertEqual((instance.address, instance.status), ("10.1.2.3", None))
        (checked,) = self.client.health.service("printer")
        self.assertEqual((checked.status, checked.checks[0].output), ("warning", "low"))
        self.client.catalog.deregister_check(node, "paper")
        self.client.catalog.deregister_service(node, "printer")
        self.assertEqual(self.client.catalog.node(node).services, [])
        self.client.catalog.deregister_node(node)
        self.assertIsNone(self.client.catalog.node(node))
        self.assertGreater(self.client.catalog.node_with_meta(node)[1].index, 0)

    def test_datacenters_and_servers(self) -> None:
        self.assertEqual(self.client.catalog.datacenters(), ["dc1"])
        self.assertIn(self.client.status.leader(), self.client.status.peers())

    def test_nothing_is_found_for_the_mesh(self) -> None:
        self.assertEqual(self.client.health.connect("no-such"), [])
        self.assertEqual(self.client.catalog.connect("no-such"), [])
        self.assertEqual(self.client.health.ingress("no-such"), [])


class Events(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.name = prefix()[:-1]

    def heard(self) -> consul_ffi.UserEvent:
        """The one event that the agent keeps, once it does."""
        events = self.client.event.list(self.name)
        while not events:
            index = events.meta.index
            events = self.client.event.list(self.name, index=index, wait_ms=5_000)
        (event,) = events
        return event

    def test_an_event_is_heard_of_by_whom_it_is_meant_for(self) -> None:
        other = self.client.event.fire(self.name, node="^nowhere$")
        self.assertEqual((other.payload, other.node_filter), (b"", "^nowhere$"))
        fired = self.client.event.fire(self.name, b"\0\xff", node=".")
        event = self.heard()
        self.assertEqual((event.id, event.name), (fired.id, self.name))
        self.assertEqual((event.payload, event.node_filter), (b"\0\xff", "."))
        self.assertGreater(event.ltime, 0)
        self.assertIn(event, self.client.event.list())

    def test_an_event_that_cannot_be_is_refused(self) -> None:
        fire = self.client.event.fire
        self.assertRaises(consul_ffi.TooLarge, fire, self.name, b"x" * 600)
        self.assertRaises(consul_ffi.ArgumentError, fire, self.name, tag="blue")
        self.assertRaises(consul_ffi.ArgumentError, fire, self.name, service="a\0b")
        self.assertRaises(TypeError, fire, self.name, 7)


class Requests(ConsulTest):
    def test_any_endpoint(self) -> None:
        key = prefix() + "a b"
        path = "/v1/kv/" + key.replace(" ", "%20")
        response = self.client.request("PUT", path, b"\0\xff", query={"flags": 7})
        self.assertEqual((response.status, response.json()), (200, True))
        raw = self.client.request("GET", path, query={"raw": True, "dc": None})
        self.assertEqual(raw.body, b"\0\xff")
        self.assertEqual(self.client.kv.get(key).flags, 7)
        listed = self.client.request("GET", path + "?keys", query={"separator": ["/"]})
        self.assertGreater(listed.meta.index, 0)
        self.assertEqual(self.client.request("GET", path + "none").status, 404)

    def test_a_body_that_json_can_hold(self) -> None:
        query = {"Name": prefix()[:-1], "Service": {"Service": "web"}}
        made = self.client.request("POST", "/v1/query", query)
        self.assertEqual(made.content_type, "application/json")
        self.client.request("DELETE", f"/v1/query/{made.json()['ID']}")

    def test_failures_raise(self) -> None:
        with self.assertRaises(consul_ffi.ArgumentError):
            self.client.request("GET", "/v1/kv/a", query={"token": "secret"})
        with self.assertRaises(consul_ffi.HttpError) as caught:
            self.client.request("PUT", "/v1/session/create", "no json")
        self.assertEqual(caught.exception.http_status, 400)
        with self.assertRaises(consul_ffi.HttpError) as caught:
            self.client.request("PUT", "/v1/agent/check/pass/nope")
        self.assertEqual(caught.exception.http_status, 500)
        self.assertIn("nope", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
