"""Services that stay registered, a program's own health, statistics and the log."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import tempfile
import unittest
from pathlib import Path

import consul_ffi
from consul_ffi import ServiceSpec, log
from consul_ffi.aio import AsyncClient
from helper import PATIENCE, ConsulTest, client_of, eventually, prefix


LONG = PATIENCE * 1000


class KeptServices(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.name = prefix().strip("/")
        self.spec = ServiceSpec(self.name, port=80)

    def status(self) -> object:
        """What Consul says of it."""
        found = self.client.agent.service_health(self.name)
        return found and found.status

    def test_it_is_registered_in_its_block_and_told_how_the_program_is(self) -> None:
        with self.client.service(self.spec, note="fine") as service:
            self.assertTrue(service.is_registered)
            self.assertEqual((service.id, service.registrations), (self.name, 1))
            self.assertEqual(service.check_id, f"service:{self.name}:ttl")
            eventually(lambda: self.status() == "passing")
            service.set_status("warning", "the cache is cold")
            self.assertEqual(service.status, "warning")
            eventually(lambda: self.status() == "warning")
            service.pat()
            self.assertEqual(service.stats().state, "registered")
        self.assertIsNone(self.status())
        self.assertEqual((service.id, service.status), ("", ""))
        service.close()

    def test_it_is_registered_again_when_the_agent_has_lost_it(self) -> None:
        with self.client.service(self.spec, ttl_ms=1000) as service:
            self.client.agent.service_deregister(self.name)
            eventually(lambda: service.registrations > 1)
            eventually(lambda: self.status() == "passing")

    def test_what_is_registered_can_be_changed(self) -> None:
        with self.client.service(self.spec) as service:
            service.update(ServiceSpec(self.name, port=81))
            eventually(lambda: self.client.agent.services()[-1:] and self.port() == 81)
            service.maintenance(True, "an upgrade")
            eventually(lambda: self.status() == "maintenance")
            service.maintenance(False)
            with self.assertRaises(consul_ffi.ArgumentError):
                service.update(ServiceSpec(self.name + "-other"))

    def port(self) -> object:
        found = self.client.agent.service(self.name)
        return found and found.port

    def test_one_that_is_stopped_stays(self) -> None:
        service = self.client.service(self.spec)
        service.start()
        service.stop()
        self.assertIsNotNone(self.status())
        service._handle.close()
        self.client.agent.service_deregister(self.name)

    def test_a_bad_description_is_refused(self) -> None:
        with self.assertRaises(consul_ffi.ArgumentError):
            self.client.service(self.spec, ttl_ms=1)
        with self.assertRaises(consul_ffi.ArgumentError):
            self.client.service(self.spec, status="fine")  # type: ignore[arg-type]

    def test_with_asyncio(self) -> None:
        async def keep() -> None:
            async with AsyncClient() as client:
                async with client.service(self.spec) as service:
                    self.assertTrue(service.is_registered)
                    await service.maintenance(True)
                    self.assertEqual(self.status(), "maintenance")
                self.assertIsNone(self.status())
                await service.close()

        asyncio.run(keep())


class Reports(ConsulTest):
    def test_the_worst_part_decides(self) -> None:
        with consul_ffi.HealthReport() as report:
            self.assertEqual(report.document()[0], 200)
            report.set("cache", "warning", "cold")
            status, document = report.document()
            self.assertEqual((status, json.loads(document)["status"]), (429, "warning"))
            report.set("database", "critical")
            self.assertEqual(report.document()[0], 503)
            self.assertTrue(report.remove("database"))
            self.assertFalse(report.remove("database"))
            with self.assertRaises(consul_ffi.ArgumentError):
                report.set("cache", "fine")  # type: ignore[arg-type]

    def test_one_of_a_client_tells_of_what_it_keeps(self) -> None:
        with self.client.session.start(), self.client.health_report() as report:
            document = json.loads(report.document()[1])
            self.assertTrue(document["consul"]["reachable"])
            self.assertEqual(len(document["sessions"]), 1)


class Statistics(ConsulTest):
    def test_of_sessions_and_locks(self) -> None:
        with self.client.session.start() as session:
            stats = session.stats()
            self.assertEqual((stats.state, stats.consecutive_failures), ("kept", 0))
            self.assertLess(stats.next_try_ms, math.inf)
            self.assertIsNone(stats.last_error)
        lock = self.client.lock(prefix() + "lock")
        self.assertEqual((lock.stats().state, lock.stats().last_success_ms), ("free", math.inf))
        with lock:
            self.assertEqual(lock.stats().state, "held")


class Addresses(ConsulTest):
    def test_how_each_is_getting_on(self) -> None:
        here = self.client.endpoint
        with consul_ffi.Client(address=f"http://127.0.0.1:1,{here}") as client:
            client.status.peers()
            self.assertEqual(client.endpoint, here)
            dead, alive = client.endpoints()
            self.assertEqual((dead.address, dead.state), ("http://127.0.0.1:1", "down"))
            self.assertEqual((dead.is_in_use, dead.last_answer_ms), (False, math.inf))
            self.assertIsInstance(dead.last_error, consul_ffi.ConnectError)
            self.assertEqual((alive.state, alive.is_in_use, alive.failures), ("up", True, 0))

    def test_changes_are_told_in_a_queue(self) -> None:
        here, dead = self.client.endpoint, "http://127.0.0.1:1"
        with consul_ffi.Client(address=f"{dead},{here}") as client, consul_ffi.Queue() as queue:
            ticket = client.set_endpoint_queue(queue)
            assert ticket is not None
            client.status.peers()
            self.assertIs(queue.next(30_000), ticket)
            left, found = ticket.result()
            self.assertEqual((left.address, left.state_before, left.state), (dead, "up", "down"))
            self.assertEqual((left.was_in_use, left.is_in_use, left.changes), (True, False, 2))
            self.assertIsInstance(left.reason, consul_ffi.ConnectError)
            self.assertEqual((found.address, found.state, found.changes), (here, "up", 1))
            self.assertEqual((found.was_in_use, found.is_in_use), (False, True))
            self.assertIsNone(found.reason)
            client.close()
            self.assertIs(queue.next(30_000), ticket)
            self.assertIsInstance(ticket.error, consul_ffi.Closed)

    def test_changes_are_iterated_over_with_asyncio(self) -> None:
        async def run() -> None:
            client = AsyncClient(address="embedded:", environment=False)
            agent = client.embedded()
            first, changes = client.endpoint_changes(), client.endpoint_changes()
            self.assertEqual([change async for change in first], [])
            agent.fail_next(1, 500, "No cluster leader")
            with self.assertRaises(consul_ffi.NoLeader):
                await client.kv.get("a")
            (change,) = await changes.__anext__()
            self.assertEqual((change.state_before, change.state), ("up", "no leader"))
            self.assertIsInstance(change.reason, consul_ffi.NoLeader)
            await client.kv.put("a", "1")
            async for (change,) in changes:
                self.assertEqual((change.state_before, change.state), ("no leader", "up"))
                await client.close()

        asyncio.run(run())

    def test_a_client_is_configured_anew(self) -> None:
        client = consul_ffi.Client(address="http://127.0.0.1:1")
        self.addCleanup(client.close)
        with self.assertRaises(consul_ffi.ConnectError):
            client.status.peers()
        client.reload()
        client.status.peers()
        with self.assertRaises(consul_ffi.ConfigError):
            client.reload(address="ftp://127.0.0.1")
        client.set_token("a-token")
        client.set_token(None)
        with self.assertRaises(consul_ffi.ArgumentError):
            client.set_token("a\nb")
        client.status.peers()

    def test_so_is_one_for_asyncio(self) -> None:
        async def run() -> None:
            async with AsyncClient(address="http://127.0.0.1:1") as client:
                client.reload(timeout_ms=20_000)
                await client.status.peers()
                client.set_token(None)
                self.assertEqual([known.state for known in client.endpoints()], ["up"])

        asyncio.run(run())


class Audit(ConsulTest):
    def test_every_change_has_a_line(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "audit"
            with client_of("embedded:", audit_log_file=str(path), audit_log_max_bytes=10**6) as client:
                client.kv.put("a", "s3cr3t")
                client.kv.get("a")
            text = path.read_text()
        (line,) = [json.loads(line) for line in text.splitlines()]
        self.assertEqual((line["path"], line["outcome"]), ("/v1/kv/a", "ok"))
        self.assertEqual((line["pid"], line["endpoint"]), (os.getpid(), "embedded:"))
        self.assertNotIn("s3cr3t", text)


class Log(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        # A client of another test that is forgotten, or freed amid what it gives back, would tell of its
        # end.
        gc.collect()
        eventually(lambda: consul_ffi.library_threads() == 0)
        self.addCleanup(log.set_level, None)
        log.take()

    def test_it_is_silent_until_a_level_is_set(self) -> None:
        self.use()
        self.assertEqual(log.take(), [])
        log.set_level("info")
        self.use()
        opened, closed = log.take()
        self.assertEqual((opened.level, opened.area), ("info", "client"))
        self.assertEqual(opened.message, "opened for http://127.0.0.1:1")
        self.assertGreater(closed.time_ms, 1.5e12)
        self.assertEqual((log.take(), log.dropped()), ([], 0))
        with self.assertRaises(consul_ffi.ArgumentError):
            log.set_level("loud")  # type: ignore[arg-type]

    def test_it_goes_to_a_file(self) -> None:
        log.set_level("info")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log"
            log.set_file(path)
            self.addCleanup(log.set_file, None)
            self.use()
            self.assertIn("opened for http://127.0.0.1:1", path.read_text())
            self.assertEqual(log.take(), [])
            log.set_file(None)
            with self.assertRaises(consul_ffi.IoError):
                log.set_file(Path(folder) / "none" / "log")

    def test_its_file_makes_room(self) -> None:
        with self.assertRaises(consul_ffi.ArgumentError):
            log.set_rotation(max_files=2)
        with self.assertRaises(consul_ffi.ArgumentError):
            log.set_rotation(max_files=2**32)
        log.set_level("info")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log"
            log.set_rotation(max_bytes=1, max_files=2, max_age_days=7)
            self.addCleanup(log.set_rotation)
            log.set_file(path)
            self.addCleanup(log.set_file, None)
            self.use()
            log.set_file(None)
            self.assertIn("closed for", path.read_text())
            self.assertIn("opened for", path.with_name("log.1").read_text())

    def test_it_arrives_in_a_queue(self) -> None:
        with consul_ffi.Queue() as queue:
            ticket = log.set_queue(queue)
            assert ticket is not None
            log.set_level("info")
            for _ in range(2):
                self.use()
                self.assertIs(queue.next(LONG), ticket)
                self.assertIn("opened for", ticket.result()[0].message)
            self.assertEqual(len(queue), 0)
            ticket.cancel()
            self.assertIs(queue.next(LONG), ticket)
            with self.assertRaises(consul_ffi.Cancelled):
                ticket.result()
            self.use()
            self.assertIsNone(queue.next(0))
            self.assertEqual(len(log.take()), 2)
            log.set_queue(queue)
            self.assertIsNone(log.set_queue(None))
            self.use()
            self.assertIsNone(queue.next(0))

    def use(self) -> None:
        """Something that is recorded; it knows a secret."""
        with client_of("http://127.0.0.1:1", token="secret-of-a-test"):
            pass


if __name__ == "__main__":
    unittest.main()
