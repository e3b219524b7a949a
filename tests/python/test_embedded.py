"""The agent in memory, its clock and its faults."""

from __future__ import annotations

import asyncio
import unittest

import consul_ffi
from consul_ffi import SessionSpec
from consul_ffi.aio import AsyncClient


class Embedded(unittest.TestCase):
    def setUp(self) -> None:
        self.client = consul_ffi.Client(address="embedded:", environment=False)
        self.addCleanup(self.client.close)
        self.agent = self.client.embedded()

    def test_it_is_shared_by_its_name(self) -> None:
        address = "embedded:python"
        with consul_ffi.Client(address=address) as one, consul_ffi.Client(address=address) as two:
            self.assertEqual(one.endpoint, address)
            one.kv.put("a", "1")
            self.assertEqual(two.kv.get("a").text, "1")
            self.assertIsNone(self.client.kv.get("a"))

    def test_its_clock_can_be_turned_on(self) -> None:
        session = self.client.session.create(SessionSpec(ttl_ms=10_000))
        self.client.kv.acquire("leader", "me", session)
        before = self.agent.now()
        self.agent.advance(20_000)
        self.assertIsNone(self.client.kv.get("leader").session)
        self.assertGreaterEqual(self.agent.now(), before + 20_000)

    def test_it_hears_of_its_own_events(self) -> None:
        fired = self.client.event.fire("deploy", "1.4.2")
        (event,) = self.client.event.list("deploy")
        self.assertEqual((event.id, event.payload), (fired.id, b"1.4.2"))
        self.assertEqual(self.client.event.list("other"), [])

    def test_it_fails_as_it_is_told_to(self) -> None:
        put = self.client.kv.put
        self.agent.fail_next(1, 503, "rate limit exceeded", prefix="/v1/kv/")
        self.client.session.list()
        self.assertRaises(consul_ffi.RateLimited, put, "a", "1")
        self.agent.lose_answers(1)
        with self.assertRaises(consul_ffi.IoError) as lost:
            put("a", "2")
        self.assertTrue(lost.exception.outcome_unknown)
        self.assertEqual(self.client.kv.get("a").text, "2")
        self.agent.no_leader(True)
        self.assertEqual(self.client.kv.get("a", consistency="stale").text, "2")
        self.agent.set_latency(3_600_000)
        self.agent.reset_faults()
        self.assertEqual(self.client.kv.get("a").text, "2")

    def test_what_it_does_not_take_is_refused(self) -> None:
        self.assertRaises(consul_ffi.ArgumentError, self.agent.fail_next, 1, 200)
        self.assertRaises(TypeError, self.agent.advance, "soon")
        self.assertRaises(TypeError, self.agent.no_leader, 1)
        with consul_ffi.Client(address="http://127.0.0.1:1") as other:
            self.assertRaises(consul_ffi.Unsupported, other.embedded)
        self.client.close()
        self.assertRaises(consul_ffi.Closed, self.agent.now)

    def test_an_event_loop_has_it_too(self) -> None:
        async def main() -> None:
            async with AsyncClient(address="embedded:", environment=False) as client:
                await client.kv.put("a", "1")
                waiting = asyncio.ensure_future(client.kv.get("a", index=1 << 40, wait_ms=60_000))
                await asyncio.sleep(0)
                client.embedded().advance(64_000)
                self.assertEqual((await waiting).text, "1")

        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
