"""What was made before a fork, in the child: calls work, what belongs to the parent is refused, views
go on, and nothing hangs."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
import unittest
import warnings
from typing import Any, Callable, Iterator

import consul_ffi
from consul_ffi.aio import AsyncClient
from helper import PATIENCE, ConsulTest, acquire_in_vain, prefix

LONG = PATIENCE * 1000


@contextlib.contextmanager
def forking() -> Iterator[None]:
    """Python 3.12 warns of a fork where there are threads, which is what is tested here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def in_child(work: Callable[[], None]) -> None:
    """Runs something in a forked child, which must end well and in time."""
    with forking():
        child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    end = time.monotonic() + PATIENCE
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            break
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("the child hangs")
        time.sleep(0.01)
    if status:
        raise AssertionError(f"the child ended with {status}")


class Forks(ConsulTest):
    def test_a_client_that_was_used_works_in_the_child_and_on_in_the_parent(self) -> None:
        key = prefix() + "key"
        self.client.kv.put(key, "parent")

        def child() -> None:
            assert self.client.kv.get(key).text == "parent"  # type: ignore[union-attr]
            self.client.kv.put(key, "child")

        in_child(child)
        self.assertEqual(self.client.kv.get(key).text, "child")  # type: ignore[union-attr]

    def test_a_child_of_a_child(self) -> None:
        self.client.status.leader()

        def ask() -> None:
            assert self.client.status.leader()

        in_child(lambda: [ask(), in_child(ask), ask()] and None)

    def test_locks_and_sessions_are_the_parents(self) -> None:
        def refused(call: Callable[[], Any]) -> None:
            try:
                call()
            except consul_ffi.Forked:
                return
            raise AssertionError("it was not refused")

        key, spec = prefix() + "lock", consul_ffi.SessionSpec(ttl_ms=120_000)
        kept, held = self.client.session.start(spec), self.client.lock(key, session=spec)
        with kept as session, held as lock:

            def child() -> None:
                assert not lock.is_held and not session.is_valid
                refused(lock.acquire)
                refused(lock.release)
                refused(lock.check)
                refused(lambda: lock.put(key + "-other", "value"))
                refused(session.stop)
                lock.close()
                session.close()
                # One of its own waits for the parent's.
                assert not acquire_in_vain(self.client.lock(key))

            in_child(child)
            self.assertTrue(lock.is_held and session.is_valid)
            self.assertEqual(lock.session_id, self.client.kv.get(key).session)  # type: ignore[union-attr]

    def test_a_service_is_kept_by_the_parent(self) -> None:
        name = prefix().strip("/")
        with self.client.service(consul_ffi.ServiceSpec(name)) as service:

            def child() -> None:
                assert not service.is_registered
                for call in (service.start, service.pat, service.stats):
                    try:
                        call()
                    except consul_ffi.Forked:
                        continue
                    raise AssertionError("it was not refused")
                service._handle.close()
                assert self.client.agent.service(name)

            in_child(child)
            self.assertTrue(service.is_registered)
            self.assertIsNotNone(self.client.agent.service(name))

    def test_what_is_the_parents_is_shown_and_closed(self) -> None:
        name = prefix().strip("/")
        lock, session = self.client.lock(name + "/lock"), self.client.session.start()
        election, cluster = self.client.election(name + "/leader"), self.client.cluster(name)
        service = self.client.service(consul_ffi.ServiceSpec(name))
        service.start()
        watch = self.client.watch.key(name)
        made = lock, session, election, cluster, service, watch
        cluster.wait_joined(LONG)

        def child() -> None:
            for each in made:
                assert type(each).__name__ in repr(each)
            assert "the parent's" in repr(election), election
            for each in made:
                each.close()
                each.close()
                repr(each)

        in_child(child)
        self.assertTrue(service.is_registered and session.is_valid)
        self.assertIn(name, [node.id for node in cluster.nodes if node.state == "alive"])
        for each in made:
            each.close()

    def test_so_it_is_with_asyncio(self) -> None:
        name = prefix().strip("/")

        async def close(made: Any) -> None:
            for each in made:
                repr(each)
                ended = each.close()
                if ended is not None:
                    await ended

        def child(made: Any) -> None:
            asyncio.set_event_loop(None)
            asyncio.run(close(made))

        async def main() -> None:
            async with AsyncClient() as client:
                service = client.service(consul_ffi.ServiceSpec(name))
                await service.start()
                election, cluster = client.election(name + "/leader"), client.cluster(name)
                made = service, election, cluster, client.lock(name + "/lock")
                run = asyncio.get_running_loop().run_in_executor
                await run(None, in_child, lambda: child(made))
                self.assertTrue(service.is_registered)
                await close(made)

        asyncio.run(main())

    def test_a_child_that_ends_leaves_what_is_the_parents(self) -> None:
        spec = consul_ffi.SessionSpec(ttl_ms=120_000)
        with self.client.lock(prefix() + "lock", session=spec) as lock:
            context = multiprocessing.get_context("fork")
            with forking():
                child = context.Process(target=self.client.status.leader)
                child.start()
            child.join(PATIENCE)
            self.assertEqual(child.exitcode, 0)
            self.assertIsNotNone(self.client.session.info(lock.session_id or ""))

    def test_a_queue_is_the_parents(self) -> None:
        with consul_ffi.Queue() as queue:
            later = self.client.on(queue)
            ticket = later.kv.get("key", index=1 << 40, wait_ms=60_000)

            def child() -> None:
                for call in (later.status.leader, lambda: queue.next(0), ticket.cancel):
                    try:
                        call()
                    except consul_ffi.Forked:
                        continue
                    raise AssertionError("it was not refused")
                assert queue.fileno() == -1
                queue.close()
                with consul_ffi.Queue() as own:
                    assert self.client.on(own).status.leader() is own.next(LONG)

            in_child(child)
            ticket.cancel()
            self.assertIs(queue.next(LONG), ticket)

    def test_a_view_goes_on_in_the_child_and_its_watch_is_the_parents(self) -> None:
        key = prefix() + "key"
        self.client.kv.put(key, "before")
        with self.client.watch.key(key) as watch:
            view = watch.wait_ready(LONG).view()

            def text() -> str:
                return view.pair.text  # type: ignore[union-attr]

            def child() -> None:
                assert text() == "before"
                try:
                    watch.view()
                except consul_ffi.Forked:
                    pass
                else:
                    raise AssertionError("it was not refused")
                view.refresh()
                self.client.kv.put(key, "after")
                while text() != "after":
                    assert view.wait(LONG)
                watch.close()

            in_child(child)
            while text() != "after":
                self.assertTrue(view.wait(LONG))

    def test_a_fork_while_other_threads_read_and_move_a_view(self) -> None:
        key = prefix() + "key"
        view = self.client.watch.key(key).wait_ready(LONG).view()
        reading = True

        def read() -> None:
            while reading:
                view.refresh()
                view.rows()

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                in_child(lambda: [view.refresh(), view.rows(), view.close()] and None)
        finally:
            reading = False
            for thread in threads:
                thread.join()

    def test_a_pool_of_processes(self) -> None:
        key = prefix() + "key"
        self.client.kv.put(key, "value")
        _inherited.append(self.client)
        self.addCleanup(_inherited.clear)
        with forking(), multiprocessing.get_context("fork").Pool(4) as pool:
            results = pool.map_async(_read, [key] * 40).get(PATIENCE)
            pool.close()
            pool.join()
        self.assertEqual(results, ["value"] * 40)

    def test_a_client_of_asyncio_is_used_on_both_sides(self) -> None:
        client = AsyncClient()

        async def ask() -> None:
            assert await client.status.leader()

        asyncio.run(ask())
        in_child(lambda: asyncio.run(ask()))

        async def within() -> None:
            # The loop of the parent is gone in the child, though it is not closed there.
            await ask()
            await asyncio.get_running_loop().run_in_executor(None, in_child, run_own)
            await ask()
            await client.close()

        def run_own() -> None:
            asyncio.set_event_loop(None)
            asyncio.run(ask())

        asyncio.run(within())


_inherited: list[consul_ffi.Client] = []


def _read(key: str) -> str:
    """Reads by the client of the parent, which is there in every child."""
    pair = _inherited[-1].kv.get(key)
    return pair.text if pair else "none"


if __name__ == "__main__":
    unittest.main()
