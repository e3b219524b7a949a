"""What is forgotten with its client is given back: locks and their like, sessions, services."""

from __future__ import annotations

import asyncio
import gc
import unittest
from typing import Any, Awaitable, Callable
from unittest import mock

import consul_ffi
from consul_ffi import ServiceSpec, SessionSpec
from consul_ffi._background import _under_way, sweep
from consul_ffi._library import lib
from consul_ffi.aio import AsyncClient
from helper import PATIENCE, ConsulTest, eventually, finish, prefix, python

LONG = PATIENCE * 1000

#: What is not given back is there for longer than a test waits.
TTL_MS = 600_000


def _lock(client: Any, name: str) -> Any:
    return client.lock(name, session=SessionSpec(name=name, ttl_ms=TTL_MS))


def _semaphore(client: Any, name: str) -> Any:
    return client.semaphore(name, 1, session=SessionSpec(name=name, ttl_ms=TTL_MS))


def _election(client: Any, name: str) -> Any:
    return client.election(name, session_ttl_ms=TTL_MS)


def _cluster(client: Any, name: str) -> Any:
    return client.cluster("node", prefix=name + "/", ttl_ms=TTL_MS)


def _service(client: Any, name: str) -> Any:
    return client.service(ServiceSpec(name))


#: How each is made and begun.
KINDS: dict[str, tuple[Callable[[Any, str], Any], Callable[[Any], Any]]] = {
    "lock": (_lock, lambda made: made.acquire(LONG)),
    "semaphore": (_semaphore, lambda made: made.acquire(LONG)),
    "election": (_election, lambda made: made.wait_elected(LONG)),
    "cluster": (_cluster, lambda made: made.wait_joined(LONG)),
    "service": (_service, lambda made: made.start()),
}

#: Takes a lock and a session and forgets them, with their client, before it ends.
FORGETS = """
import consul_ffi, sys
spec = consul_ffi.SessionSpec(name=sys.argv[1], ttl_ms=600_000)
def forget():
    client = consul_ffi.Client()
    session = client.session.start(spec)
    lock = client.lock(sys.argv[1] + "lock", session=spec)
    lock.acquire()
    print(lock.is_held)
forget()
"""

#: A child takes a lock and a session with the client of its parent, and ends as a program does.
FORKS = """
import consul_ffi, os, sys
spec = consul_ffi.SessionSpec(name=sys.argv[1], ttl_ms=600_000)
client = consul_ffi.Client()
mine = client.lock(sys.argv[1] + "parent", session=consul_ffi.SessionSpec(ttl_ms=600_000))
mine.acquire()
child = os.fork()
if child == 0:
    session = client.session.start(spec)
    lock = client.lock(sys.argv[1] + "lock", session=spec)
    lock.acquire()
    sys.exit(0 if lock.is_held else 1)
print(os.waitpid(child, 0)[1])
print([each.name for each in client.session.list() if each.name == sys.argv[1]])
print(mine.is_held and client.kv.get(mine.key).session == mine.session_id)
"""


class Forgotten(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.sessions = self.ids()

    def ids(self) -> set[str]:
        return {each.id for each in self.client.session.list()}

    def given_back(self, name: str) -> bool:
        is_there = name in (each.id for each in self.client.agent.services())
        return not is_there and self.ids() <= self.sessions

    def settle(self) -> None:
        """Waits until nothing is left of earlier tests."""
        gc.collect()
        eventually(lambda: [sweep()] and not _under_way)

    def each(self, forget: Callable[[str, Any, Any], None]) -> None:
        for kind, (make, begin) in KINDS.items():
            with self.subTest(kind):
                name = prefix().strip("/")
                forget(name, make, begin)
                gc.collect()
                eventually(lambda: self.given_back(name))

    def test_each_is_given_back_with_its_client(self) -> None:
        def forget(name: str, make: Any, begin: Any) -> None:
            client = consul_ffi.Client()
            made = make(client, name)
            begin(made)

        self.each(forget)

    def test_so_it_is_when_both_are_collected_together(self) -> None:
        def forget(name: str, make: Any, begin: Any) -> None:
            client: Any = consul_ffi.Client()
            client.made = make(client, name)
            client.made.client = client
            begin(client.made)

        self.each(forget)

    def test_so_it_is_with_asyncio(self) -> None:
        def forget(name: str, make: Any, begin: Callable[[Any], Awaitable[Any]]) -> None:
            async def run() -> None:
                client = AsyncClient()
                made = make(client, name)
                await begin(made)

            asyncio.run(run())

        self.each(forget)

    def test_a_lock_is_freed_before_its_session_and_both_before_their_client(self) -> None:
        freed: list[str] = []

        def note(name: str) -> Any:
            function = getattr(lib, name)
            return mock.patch.object(
                lib, name, lambda handle: [freed.append(name), function(handle)] and None
            )

        def forget() -> None:
            client: Any = consul_ffi.Client()
            session: Any = client.session.start(SessionSpec(ttl_ms=TTL_MS))
            session.client, session.lock = client, client.lock(prefix() + "lock", session=session)
            session.lock.session_too = session

        self.settle()
        functions = consul_ffi.Lock.functions
        names = "consul_lock_free", "consul_session_free", "consul_client_free"
        with note(names[0]), note(names[1]), note(names[2]):
            with mock.patch.object(functions, "free", lib.consul_lock_free):
                forget()
                gc.collect()
                eventually(lambda: [sweep(), len(freed)][1] == len(names))
        self.assertEqual(freed, list(names))

    def test_nothing_is_left_of_the_client(self) -> None:
        self.settle()
        before = consul_ffi.live_handles()
        for _ in range(3):
            consul_ffi.Client().lock(prefix() + "lock").acquire(LONG)
        gc.collect()
        eventually(lambda: consul_ffi.live_handles() == before)

    def test_a_program_that_ends_waits_for_it(self) -> None:
        name = prefix()
        self.assertEqual(finish(python(FORGETS, name)), (0, "True\n", ""))
        self.assertLessEqual(self.ids(), self.sessions)

    def test_a_forked_child_gives_back_what_it_took_with_the_parents_client(self) -> None:
        process = python(FORKS, prefix(), PYTHONWARNINGS="ignore::DeprecationWarning")
        self.assertEqual(finish(process), (0, "0\n[]\nTrue\n", ""))


if __name__ == "__main__":
    unittest.main()
