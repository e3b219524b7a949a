"""Slots of a semaphore are held, lost and given back."""

from __future__ import annotations

import unittest

import consul_ffi
from consul_ffi import LimitConflict, LockLost, NotHeld, Semaphore, SessionSpec
from helper import PATIENCE, ConsulTest, acquire_in_vain, prefix


class Semaphores(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.prefix = prefix() + "jobs"

    def new(self, limit: int = 2) -> Semaphore:
        return self.client.semaphore(self.prefix, limit)

    def test_a_slot_is_held_for_the_block(self) -> None:
        name = prefix()
        spec = SessionSpec(name=name, ttl_ms=60_000)
        new = self.client.semaphore
        with new(self.prefix, 2, value="me", session=spec, monitor_retry_ms=50_000) as semaphore:
            self.assertTrue(semaphore.is_held)
            self.assertFalse(semaphore.lost)
            self.assertGreater(semaphore.remaining_ms, 0)
            semaphore.check()
            entry = self.client.kv.get(f"{self.prefix}/{semaphore.session_id}")
            self.assertEqual((entry.text, entry.session), ("me", semaphore.session_id))
            self.assertEqual(semaphore.stats().state, "held")
        self.assertFalse(semaphore.is_held)
        self.assertEqual(repr(semaphore), f"<consul_ffi.Semaphore {self.prefix} not held>")
        with self.assertRaisesRegex(NotHeld, f"the semaphore {self.prefix} is not held"):
            semaphore.check()
        self.wait_no_session(name)
        self.assertTrue(semaphore.destroy())

    def test_no_more_are_held_than_there_are(self) -> None:
        with self.new() as one, self.new() as two:
            other = self.client.semaphore(self.prefix, 2, acquire_timeout_ms=0)
            self.assertFalse(other.try_acquire())
            self.assertFalse(acquire_in_vain(other))
            self.assertFalse(other.destroy())
            self.assertEqual(sorted(other.holders), sorted([one.session_id, two.session_id]))
            with self.assertRaisesRegex(consul_ffi.Held, f"are held: .*{one.session_id}"):
                with other:
                    self.fail("it is held")
        again = self.new()
        self.assertTrue(again.acquire(PATIENCE * 1000))
        self.assertEqual(again.holders, [])
        again.release()

    def test_a_loss_is_told(self) -> None:
        with self.assertRaisesRegex(LockLost, "semaphore .* session_invalid"):
            with self.new() as semaphore:
                self.client.session.destroy(semaphore.session_id)
                self.assertTrue(semaphore.lost.wait(PATIENCE * 1000))
                self.assertEqual(semaphore.lost.reason, "session_invalid")
                semaphore.check()

    def test_another_limit_is_refused(self) -> None:
        with self.new(2):
            with self.assertRaisesRegex(LimitConflict, "limit 2 at Consul, not 3"):
                self.new(3).acquire()
        self.assertTrue(self.new(3).destroy())
        with self.new(3):
            pass

    def test_a_borrowed_session_stays(self) -> None:
        with self.client.session.start() as session:
            with self.client.semaphore(self.prefix, 1, session=session) as semaphore:
                self.assertEqual(semaphore.session_id, session.id)
            with self.client.semaphore(self.prefix, 1, session=session.id) as semaphore:
                self.assertEqual(semaphore.session_id, session.id)
            self.assertTrue(session.is_valid)

    def test_what_cannot_be_is_refused(self) -> None:
        for wrong in [("", 1), ("/a", 1), ("a", 0)]:
            with self.assertRaises(consul_ffi.ArgumentError):
                self.client.semaphore(*wrong)
        with self.assertRaises(TypeError):
            self.client.semaphore("a", "b")  # type: ignore[arg-type]


if __name__ == "__main__":
    unittest.main()
