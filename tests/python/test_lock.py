"""Locks are held, lost and given back."""

from __future__ import annotations

import gc
import threading
import unittest

import consul_ffi
from consul_ffi import LockLost, NotHeld, SessionSpec
from helper import PATIENCE, ConsulTest, acquire_in_vain, eventually, prefix


class Locks(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.key = prefix() + "lock"

    def steal(self) -> None:
        """Somebody deletes the key."""
        self.client.kv.delete(self.key)

    def test_a_lock_is_held_for_the_block(self) -> None:
        name = prefix()
        spec = SessionSpec(name=name, ttl_ms=60_000, lock_delay_ms=0)
        with self.client.lock(self.key, value="me", session=spec) as lock:
            self.assertTrue(lock.is_held)
            self.assertFalse(lock.lost)
            self.assertIsNone(lock.lost.reason)
            self.assertGreater(lock.remaining_ms, 0)
            lock.check()
            pair = self.client.kv.get(self.key)
            self.assertEqual((pair.text, pair.session), ("me", lock.session_id))
            self.assertGreaterEqual(lock.fencing_token, pair.modify_index)
            lock.put(self.key + "-fenced", "written", flags=3)
            self.assertEqual(self.client.kv.get(self.key + "-fenced").flags, 3)
        self.assertFalse(lock.is_held)
        self.assertFalse(lock.lost.is_set())
        self.assertIsNone(lock.session_id)
        self.assertIsNone(self.client.kv.get(self.key).session)
        self.wait_no_session(name)

    def test_a_lock_that_somebody_else_holds_is_not_acquired(self) -> None:
        with self.client.lock(self.key) as lock:
            other = self.client.lock(self.key, acquire_timeout_ms=0)
            self.assertFalse(other.try_acquire())
            self.assertFalse(acquire_in_vain(other))
            self.assertEqual(other.holder, lock.session_id)
            self.assertFalse(other.destroy())
            with self.assertRaisesRegex(consul_ffi.Held, f"held by session {lock.session_id}"):
                with other:
                    self.fail("it is held")
            with self.assertRaises(consul_ffi.AlreadyHeld):
                lock.acquire()

    def test_fencing_tokens_grow(self) -> None:
        tokens = []
        for _ in range(3):
            with self.client.lock(self.key) as lock:
                tokens.append(lock.fencing_token)
        self.assertEqual(tokens, sorted(set(tokens)))

    def test_a_loss_is_seen_everywhere_and_raised_at_the_end_of_the_block(self) -> None:
        with self.assertRaises(LockLost) as caught:
            with self.client.lock(self.key) as lock:
                self.assertFalse(lock.lost.wait(0))
                self.steal()
                self.assertTrue(lock.lost.wait(PATIENCE * 1000))
                self.assertTrue(lock.lost)
                self.assertEqual(lock.lost.reason, "key_deleted")
                self.assertFalse(lock.is_held)
                with self.assertRaisesRegex(LockLost, "lost: key_deleted"):
                    lock.check()
                with self.assertRaises(LockLost):
                    lock.put(self.key + "-fenced", "too late")
        self.assertEqual(caught.exception.name, "ERR_LOCK_LOST")
        self.assertIsNone(self.client.kv.get(self.key + "-fenced"))
        with lock:
            self.assertFalse(lock.lost)

    def test_the_error_of_the_block_goes_on_and_does_not_hide_the_loss(self) -> None:
        with self.assertRaises(ZeroDivisionError) as caught:
            with self.client.lock(self.key) as lock:
                self.steal()
                lock.lost.wait(PATIENCE * 1000)
                1 / 0
        if hasattr(caught.exception, "add_note"):
            self.assertIn("lost", caught.exception.__notes__[0])
        with self.assertRaises(LockLost):
            with lock:
                self.steal()
                lock.lost.wait(PATIENCE * 1000)
                lock.check()

    def test_a_lock_released_within_the_block_is_no_error(self) -> None:
        with self.client.lock(self.key) as lock:
            lock.release()
            with self.assertRaises(NotHeld):
                lock.check()
            with self.assertRaises(NotHeld):
                lock.release()
            with self.assertRaises(NotHeld):
                lock.lost.wait()

    def test_a_lock_waits_for_its_turn(self) -> None:
        order = []
        waiting = self.client.lock(self.key)

        def second() -> None:
            with waiting:
                order.append("second")

        with self.client.lock(self.key):
            thread = threading.Thread(target=second)
            thread.start()
            eventually(lambda: waiting.holder)
            order.append("first")
        thread.join(PATIENCE)
        self.assertEqual(order, ["first", "second"])

    def test_stop_ends_a_wait(self) -> None:
        waiting = self.client.lock(self.key)
        raised = []

        def wait() -> None:
            try:
                waiting.acquire()
            except consul_ffi.Cancelled as error:
                raised.append(error)

        with self.client.lock(self.key):
            thread = threading.Thread(target=wait)
            thread.start()
            eventually(lambda: waiting.holder)
            waiting.stop()
            thread.join(PATIENCE)
        self.assertEqual(len(raised), 1)

    def test_stop_ends_a_wait_for_a_loss(self) -> None:
        raised, began = [], threading.Event()
        with self.client.lock(self.key) as lock:

            def wait() -> None:
                began.set()
                try:
                    lock.lost.wait()
                except consul_ffi.Cancelled as error:
                    raised.append(error)

            thread = threading.Thread(target=wait)
            thread.start()
            began.wait()
            while thread.is_alive():
                lock.stop()
                thread.join(0.15)
            self.assertEqual(len(raised), 1)
            lock.check()

    def test_a_session_can_be_shared_and_stays(self) -> None:
        with self.client.session.start(SessionSpec(lock_delay_ms=0)) as session:
            with self.client.lock(self.key, session=session) as lock:
                self.assertEqual(lock.session_id, session.id)
            with self.client.lock(self.key, session=session.id) as lock:
                self.assertEqual(lock.session_id, session.id)
            self.assertTrue(session.is_valid)

    def test_a_key_that_is_used_otherwise_is_adopted_only_when_asked(self) -> None:
        self.client.kv.put(self.key, "data")
        with self.assertRaises(consul_ffi.LockConflict):
            self.client.lock(self.key).acquire()
        with self.client.lock(self.key, adopt=True) as lock:
            self.assertTrue(lock.is_held)
        self.assertTrue(lock.destroy())
        self.assertIsNone(self.client.kv.get(self.key))

    def test_a_lock_that_is_forgotten_is_given_back(self) -> None:
        self.client.lock(self.key).acquire()
        gc.collect()
        eventually(lambda: self.client.kv.get(self.key).session is None)

    def test_a_lock_outlives_the_name_of_its_client(self) -> None:
        lock = consul_ffi.Client().lock(self.key)
        gc.collect()
        with lock:
            lock.check()

    def test_closing_the_client_gives_locks_back(self) -> None:
        with consul_ffi.Client() as client:
            lock = client.lock(self.key)
            lock.acquire()
        self.assertIsNone(self.client.kv.get(self.key).session)
        self.assertEqual(lock.lost.reason, "closed")

    def test_what_cannot_be_is_refused(self) -> None:
        with self.assertRaises(consul_ffi.ArgumentError):
            self.client.lock("/leading/slash")
        with self.assertRaises(consul_ffi.ArgumentError):
            self.client.lock(self.key, monitor_retry_ms=1)
        with self.assertRaisesRegex(TypeError, "unknown option 'ttl_ms'"):
            self.client.lock(self.key, ttl_ms=5)  # type: ignore[call-arg]


class Handles(ConsulTest):
    def test_everything_is_freed(self) -> None:
        gc.collect()
        before = consul_ffi.live_handles()
        key = prefix() + "a"
        with consul_ffi.Client() as client:
            with client.lock(key, session=SessionSpec(ttl_ms=60_000)) as lock:
                lock.put(key + "/b", "x", consistency="default")
            client.txn().get(key).commit()
            client.kv.list(key)
            client.kv.get(key + "/none")
            client.catalog.node("no-such-node")
            client.request("GET", "/v1/status/leader")
            with self.assertRaises(consul_ffi.Conflict):
                client.txn().check_not_exists(key).commit()
            with self.assertRaises(consul_ffi.ConsulError):
                client.kv.get("/bad")
        del lock
        gc.collect()
        self.assertEqual(consul_ffi.live_handles(), before)


if __name__ == "__main__":
    unittest.main()
