"""Calls that do not wait, and the queue that they arrive in."""

from __future__ import annotations

import gc
import select
import threading
import unittest
import weakref
from typing import Any, Callable

import consul_ffi
from helper import PATIENCE, ConsulTest, client_of, prefix


class Queues(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.queue = consul_ffi.Queue()
        self.addCleanup(self.queue.close)
        self.later = self.client.on(self.queue)

    def test_tickets_come_with_what_the_blocking_call_returns(self) -> None:
        key = prefix() + "key"
        self.client.kv.put(key, "value")
        ticket = self.later.kv.get(key)
        with self.assertRaises(RuntimeError):
            ticket.result()
        self.assertEqual(len(self.queue), 1)
        self.assertIs(self.queue.next(PATIENCE * 1000), ticket)
        self.assertTrue(ticket.done)
        self.assertIsNone(ticket.error)
        self.assertEqual(ticket.result(), self.client.kv.get(key))
        self.assertEqual(len(self.queue), 0)
        self.assertIsNone(self.queue.next(0))

    def test_all_that_ends_is_iterated_over(self) -> None:
        keys = [prefix() + "key" for _ in range(50)]
        puts = {self.later.kv.put(key, key) for key in keys}
        self.assertEqual({ticket for ticket in self.queue}, puts)
        gets = {self.later.kv.get(key): key for key in keys}
        for ticket in self.queue:
            self.assertEqual(ticket.result().text, gets[ticket])

    def test_every_area_and_honest_answers(self) -> None:
        key, later = prefix() + "key", self.later
        tickets = [
            later.kv.get(key),
            later.kv.cas(key, "value", 5),
            later.txn().set(key + "/other", "1").commit(),
            later.txn().check_not_exists(key + "/none").get(key + "/none").commit(),
            later.agent.check_pass("no-such-check"),
            later.status.leader(),
            later.catalog.node("nobody"),
            later.health.service("consul"),
            later.request("GET", "/v1/status/leader"),
            later.event.fire(key.replace("/", "-"), b"payload"),
        ]
        self.assertEqual({each for each in self.queue}, set(tickets))
        self.assertIsNone(tickets[0].result())
        self.assertIs(tickets[1].result(), False)
        self.assertEqual(len(tickets[2].result()), 1)
        self.assertIsInstance(tickets[3].error, consul_ffi.RolledBack)
        self.assertIsInstance(tickets[4].error, consul_ffi.NotFound)
        self.assertEqual(tickets[5].result(), self.client.status.leader())
        self.assertIsNone(tickets[6].result())
        self.assertEqual(tickets[7].result()[0].service.name, "consul")
        self.assertEqual(tickets[8].result().json(), self.client.status.leader())
        self.assertEqual(tickets[9].result().payload, b"payload")

    def test_a_kept_session_is_one_that_waits(self) -> None:
        ticket = self.later.session.start()
        self.queue.next(PATIENCE * 1000)
        with ticket.result() as session:
            self.assertIsNotNone(self.client.session.info(session))
        self.assertIsNone(self.client.session.info(session))

    def test_the_descriptor_is_readable_as_long_as_tickets_wait(self) -> None:
        def readable(seconds: float) -> bool:
            return bool(select.select([self.queue], [], [], seconds)[0])

        self.assertFalse(readable(0))
        ticket = self.later.status.leader()
        self.assertTrue(readable(PATIENCE) and readable(0))
        self.assertIs(self.queue.next(0), ticket)
        self.assertFalse(readable(0))

    def test_a_cancelled_call(self) -> None:
        key = prefix() + "key"
        ticket = self.later.kv.get(key, index=1 << 40, wait_ms=60_000)
        ticket.cancel()
        self.assertIs(self.queue.next(PATIENCE * 1000), ticket)
        with self.assertRaises(consul_ffi.Cancelled):
            ticket.result()

    def test_too_many_in_flight_are_refused(self) -> None:
        with consul_ffi.Queue(max_in_flight=1) as queue:
            later = self.client.on(queue)
            later.status.leader()
            with self.assertRaises(consul_ffi.Busy):
                later.status.leader()
            self.assertEqual(len(queue), 1)
            with self.assertRaises(consul_ffi.ArgumentError):
                consul_ffi.Queue(max_in_flight=0)

    def test_what_cannot_begin_is_raised(self) -> None:
        with self.assertRaises(consul_ffi.ArgumentError):
            self.later.kv.get("")
        self.assertEqual(len(self.queue), 0)

    def test_somebody_wakes_who_waits(self) -> None:
        waker = threading.Timer(0.05, self.queue.wake)
        waker.start()
        self.assertIsNone(self.queue.next())
        waker.join()

    def test_threads_share_one(self) -> None:
        def ask() -> None:
            for _ in range(50):
                self.later.status.leader()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        done = 0
        while done < 200:
            ticket = self.queue.next(PATIENCE * 1000)
            assert ticket is not None
            ticket.result()
            done += 1
        for thread in threads:
            thread.join()

    def test_a_closed_one_refuses(self) -> None:
        ticket = self.later.kv.get("key", index=1 << 40)
        self.queue.close()
        self.queue.close()
        self.ended(ticket)
        with self.assertRaises(consul_ffi.Closed):
            self.later.kv.get("key")

    def ended(self, ticket: consul_ffi.Ticket[Any]) -> None:
        """It does not come any more, and says so."""
        self.assertTrue(ticket.done)
        self.assertIsInstance(ticket.error, consul_ffi.Closed)
        with self.assertRaisesRegex(consul_ffi.Closed, "the queue was closed"):
            ticket.result()

    def test_what_has_come_before_it_is_closed_stays(self) -> None:
        ticket = self.later.status.leader()
        self.assertIs(self.queue.next(PATIENCE * 1000), ticket)
        self.queue.close()
        self.assertIn(":", ticket.result() or "")

    def test_tickets_of_one_that_is_forgotten_end(self) -> None:
        calls: list[Callable[[consul_ffi.Later], consul_ffi.Ticket[Any]]] = [
            lambda later: later.kv.get("key", index=1 << 40),
            lambda later: later.session.start(),
            lambda later: later.txn().get("key").commit(),
        ]
        for call in calls:
            queue = consul_ffi.Queue()
            ticket = call(self.client.on(queue))
            self.assertFalse(ticket.done)
            del queue
            gc.collect()
            self.ended(ticket)

    def test_changes_of_addresses_end_with_it(self) -> None:
        ticket = self.client.set_endpoint_queue(self.queue)
        assert ticket is not None
        self.queue.close()
        self.ended(ticket)

    def test_nothing_is_left_of_what_is_forgotten(self) -> None:
        gc.collect()  # what earlier tests have left
        queue = consul_ffi.Queue()
        self.client.on(queue).kv.get("key", index=1 << 40)
        left, handles = weakref.ref(queue), consul_ffi.live_handles()
        del queue
        gc.collect()
        self.assertIsNone(left())
        self.assertEqual(consul_ffi.live_handles(), handles - 1)

    def test_a_failure_has_its_details(self) -> None:
        with client_of("http://127.0.0.1:1") as client:
            ticket = client.on(self.queue).kv.get("key")
            self.queue.next(PATIENCE * 1000)
            assert isinstance(ticket.error, consul_ffi.ConnectError)
            self.assertEqual(ticket.error.endpoint, "http://127.0.0.1:1")


if __name__ == "__main__":
    unittest.main()
