"""Ctrl-C, other signals, and the end of the program."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import unittest
from typing import Any

import consul_ffi
from consul_ffi import SessionSpec
from helper import (
    Control,
    ConsulTest,
    acquire_in_vain,
    client_of,
    eventually,
    finish,
    prefix,
    python,
    server,
)

#: At its end a program gives back what it has in a second at most; the rest is for the interpreter to
#: end. What waits for an answer, which is given 5 s and more, would be later.
LEAVES_WITHIN_S = 4

#: Waits for a lock that somebody else holds.
ACQUIRE = """
import consul_ffi, sys
client = consul_ffi.Client()
lock = client.lock(sys.argv[1], session=consul_ffi.SessionSpec(name=sys.argv[1]))
print("waiting", flush=True)
lock.acquire()
"""

#: Waits for news of a key.
POLL = """
import consul_ffi, sys
client = consul_ffi.Client()
index = client.kv.get_with_meta(sys.argv[1])[1].index
print("waiting", flush=True)
client.kv.get_with_meta(sys.argv[1], index=index, wait_ms=60000)
"""

#: Waits for the loss of a lock that nobody takes.
WATCH = """
import consul_ffi, sys
client = consul_ffi.Client()
lock = client.lock(sys.argv[1], session=consul_ffi.SessionSpec(name=sys.argv[1]))
lock.acquire()
print("waiting", flush=True)
lock.lost.wait()
"""

#: Ends with a live lock and a live session.
LEAVE = """
import consul_ffi, sys
spec = consul_ffi.SessionSpec(name=sys.argv[1])
client = consul_ffi.Client()
session = client.session.start(spec)
lock = client.lock(sys.argv[1], session=spec)
lock.acquire()
print("held", flush=True)
"""


class CtrlC(ConsulTest):
    def interrupt(self, program: str, key: str) -> None:
        """Starts a program that waits, and presses Ctrl-C."""
        process = python(program, key)
        self.assertEqual(process.stdout.readline(), "waiting\n")
        if program != ACQUIRE:
            # A query has begun to wait. An acquire is to be ended whenever the signal comes.
            eventually(lambda: self.sleeps(process.pid))
        control = Control(process.pid)
        process.send_signal(signal.SIGINT)
        status, _, errors = finish(process)
        took = control.stop()
        self.assertEqual(status, -signal.SIGINT, errors)
        self.assertIn("KeyboardInterrupt", errors)
        self.assertLess(took, LEAVES_WITHIN_S)
        self.wait_no_session(key)

    @staticmethod
    def sleeps(pid: int) -> bool:
        """Whether the main thread of a process waits, and goes on waiting."""
        for _ in range(5):
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] != "S":
                    return False
            time.sleep(0.02)
        return True

    def test_ends_an_acquire_and_leaves_no_session(self) -> None:
        key = prefix() + "lock"
        with self.client.lock(key):
            self.interrupt(ACQUIRE, key)

    def test_ends_a_blocking_query(self) -> None:
        self.interrupt(POLL, prefix() + "key")

    def test_ends_a_wait_for_a_loss_and_gives_the_lock_back(self) -> None:
        key = prefix() + "lock"
        self.interrupt(WATCH, key)
        self.assertIsNone(self.client.kv.get(key).session)

    def test_is_raised_at_once(self) -> None:
        key = prefix() + "lock"
        with self.client.lock(key), consul_ffi.Client() as client:
            lock = client.lock(key)
            controls: list[Control] = []

            def press() -> None:
                eventually(lambda: lock.holder)
                controls.append(Control(os.getpid()))
                os.kill(os.getpid(), signal.SIGINT)

            thread = threading.Thread(target=press)
            thread.start()
            with self.assertRaises(KeyboardInterrupt):
                lock.acquire()
            # It is seen within a slice of 100 ms; what is not interrupted waits for ever.
            self.assertLess(controls[0].stop(), 2)
            thread.join()
            self.assertFalse(lock.is_held)


class OtherSignals(ConsulTest):
    """A handler that does not raise interrupts nothing (PEP 475)."""

    def setUp(self) -> None:
        super().setUp()
        self.seen: list[int] = []
        before = signal.signal(signal.SIGALRM, lambda number, frame: self.seen.append(number))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def every(self, seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)

    def test_an_acquire_goes_on_and_keeps_its_limit(self) -> None:
        key = prefix() + "lock"
        with self.client.lock(key):
            lock = self.client.lock(key)
            self.every(0.05)
            # Of signals that come while the process is stopped one is told.
            while len(self.seen) < 2:
                began = time.monotonic()
                self.assertFalse(acquire_in_vain(lock, 1000))
                self.assertGreaterEqual(time.monotonic() - began, 1)

    def test_a_blocking_query_goes_on_and_keeps_its_limit(self) -> None:
        key = prefix() + "key"
        index = self.client.kv.get_with_meta(key)[1].index
        self.every(0.05)
        while len(self.seen) < 2:
            control = Control(os.getpid())
            pair, meta = self.client.kv.get_with_meta(key, index=index, wait_ms=400)
            took = control.stop()
            self.assertIsNone(pair)
            self.assertLess(took, 20)

    def test_locks_and_sessions_are_given_back_all_the_same(self) -> None:
        base = prefix()
        spec = SessionSpec(name=base, lock_delay_ms=0)
        for turn in range(10):
            with self.client.lock(f"{base}{turn}", session=spec):
                self.every(0.001)
            self.every(0)
            with self.client.session.start(spec):
                self.every(0.001)
            self.every(0)
        self.wait_no_session(base)

    def test_a_write_is_not_sent_twice(self) -> None:
        requests: list[bytes] = []

        def silent(connection: socket.socket) -> None:
            request = connection.recv(65536)
            # None at all, where the signal came before it was sent.
            if request:
                requests.append(request)
                connection.recv(1)

        self.every(0.05)
        with server(silent) as address, client_of(address) as client:
            with self.assertRaises(InterruptedError) as caught:
                client.kv.put("a", "b")
            self.assertIsInstance(caught.exception, consul_ffi.Interrupted)
            self.assertTrue(caught.exception.outcome_unknown)
        self.assertEqual(len(requests), 1)
        self.assertGreater(len(self.seen), 0)

    def test_a_read_that_never_gets_an_answer_keeps_its_limit(self) -> None:
        def silent(connection: socket.socket) -> None:
            while connection.recv(65536):
                pass

        self.every(0.05)
        with server(silent) as address, client_of(address, timeout_ms=400) as client:
            control = Control(os.getpid())
            with self.assertRaises((consul_ffi.Timeout, consul_ffi.Interrupted)):
                client.kv.get("a")
            self.assertLess(control.stop(), 10)

    def test_a_client_can_be_told_not_to_be_interruptible(self) -> None:
        key = prefix() + "key"
        with consul_ffi.Client(interruptible=False) as client:
            index = client.kv.get_with_meta(key)[1].index
            self.every(0.05)
            self.assertIsNone(client.kv.get_with_meta(key, index=index, wait_ms=300)[0])


class Exit(ConsulTest):
    def leave(self, program: str, **variables: str) -> float:
        """Runs a program to its end; gives the time from its last line to that, less what is the
        machine's fault."""
        name = prefix() + "lock"
        process = python(program, name, **variables)
        self.assertEqual(process.stdout.readline(), "held\n")
        control = Control(process.pid)
        status, _, errors = finish(process)
        took = control.stop()
        self.assertEqual((status, errors), (0, ""))
        self.name = name
        return took

    def test_with_a_live_lock_and_session(self) -> None:
        self.assertLess(self.leave(LEAVE), LEAVES_WITHIN_S)
        self.assertIsNone(self.client.kv.get(self.name).session)
        self.assertFalse([s for s in self.client.session.list() if s.name == self.name])

    def test_with_threads_in_calls(self) -> None:
        program = LEAVE + """
import threading
def wait():
    try:
        client.kv.get("none", index=1 << 60, wait_ms=60000)
    except consul_ffi.Closed:
        pass
threading.Thread(target=wait, daemon=True).start()
"""
        self.assertLess(self.leave(program), LEAVES_WITHIN_S)

    def test_by_an_exception(self) -> None:
        name = prefix() + "lock"
        process = python(LEAVE + "1 / 0", name)
        self.assertEqual(process.stdout.readline(), "held\n")
        status, _, errors = finish(process)
        self.assertEqual(status, 1)
        self.assertTrue(errors.rstrip().endswith("ZeroDivisionError: division by zero"), errors)
        self.assertIsNone(self.client.kv.get(name).session)

    def test_while_consul_does_not_answer(self) -> None:
        def silent(connection: socket.socket) -> None:
            while connection.recv(65536):
                pass

        program = """
import consul_ffi, threading
client = consul_ffi.Client()
lock = client.lock("a")
def acquire():
    try:
        lock.acquire()
    except consul_ffi.Closed: # where the thread gets to hear of it before the program is over
        pass
threading.Thread(target=acquire, daemon=True).start()
while not consul_ffi.live_handles() > 1:
    pass
print("held", flush=True)
"""
        with server(silent) as address:
            self.assertLess(self.leave(program, CONSUL_HTTP_ADDR=address), LEAVES_WITHIN_S)

    def test_of_a_forked_child_leaves_the_parents_lock_alone(self) -> None:
        program = """
import consul_ffi, os, sys
client = consul_ffi.Client()
lock = client.lock(sys.argv[1])
lock.acquire()
child = os.fork()
if child == 0:
    sys.exit(7)
print(os.WEXITSTATUS(os.waitpid(child, 0)[1]), flush=True)
assert client.session.info(lock.session_id) is not None
lock.release()
"""
        status, output, errors = finish(python(program, prefix() + "lock"))
        self.assertEqual((status, output), (0, "7\n"), errors)


class Threads(ConsulTest):
    def test_many_threads_share_a_client(self) -> None:
        base, wrong = prefix(), []

        def work(number: int) -> None:
            for turn in range(20):
                key = f"{base}{number}/{turn}"
                self.client.kv.put(key, f"{number}-{turn}", flags=number)
                pair = self.client.kv.get(key, consistency="default")
                if (pair.text, pair.flags) != (f"{number}-{turn}", number):
                    wrong.append(pair)
                try:
                    self.client.kv.get(f"/bad/{number}")
                except consul_ffi.ArgumentError as error:
                    # Each thread has its own last error.
                    if f"/bad/{number}" not in str(error) and "slash" not in str(error):
                        wrong.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(self.client.kv.list(base)), 160)

    def test_others_run_while_a_call_blocks(self) -> None:
        """The GIL is given up: otherwise the thread that ends the call would never run."""
        key = prefix() + "key"
        index = self.client.kv.get_with_meta(key)[1].index
        counted: list[Any] = []

        def count() -> None:
            for number in range(1000):
                counted.append(number)
            self.client.kv.put(key, "now")

        thread = threading.Thread(target=count)
        thread.start()
        pair, _ = self.client.kv.get_with_meta(key, index=index, wait_ms=60_000)
        thread.join()
        self.assertEqual((pair.text, len(counted)), ("now", 1000))

    def test_closing_ends_the_calls_of_other_threads(self) -> None:
        client, ended = consul_ffi.Client(), []
        entered = threading.Event()

        def wait() -> None:
            entered.set()
            try:
                client.kv.get("none", index=1 << 60, wait_ms=60_000)
            except consul_ffi.Closed as error:
                ended.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        entered.wait()
        client.close()
        thread.join(30)
        self.assertEqual(len(ended), 1)


if __name__ == "__main__":
    unittest.main()
