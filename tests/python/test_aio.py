"""asyncio: calls, cancellation, locks, sessions, the end."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import socket
import threading
import unittest
from typing import Any, Awaitable, Callable, TypeVar
from unittest import mock

import consul_ffi
from consul_ffi import CheckSpec, LimitConflict, ServiceSpec, SessionSpec
from consul_ffi.aio import AsyncClient, AsyncLock
from helper import PATIENCE, eventually, finish, missing, prefix, python, server

T = TypeVar("T")


def client_of(address: str, **settings: Any) -> AsyncClient:
    """A client of a server that is not the tests' Consul."""
    return AsyncClient(address=address, environment=False, **settings)


class Silent:
    """A server that takes requests and answers none; it knows when a connection is closed."""

    def __init__(self) -> None:
        self.asked, self.gone = threading.Event(), threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        connection.recv(65536)
        self.asked.set()
        connection.settimeout(PATIENCE)
        if connection.recv(1) == b"":
            self.gone.set()


class AsyncTest(unittest.IsolatedAsyncioTestCase):
    """A test with a client, on a real Consul."""

    client: AsyncClient

    async def asyncSetUp(self) -> None:
        if "CONSUL_HTTP_ADDR" not in os.environ:
            missing("Consul")
        # Says nothing of a machine that is busy.
        asyncio.get_running_loop().slow_callback_duration = PATIENCE
        self.client = AsyncClient(timeout_ms=PATIENCE * 1000)
        self.addAsyncCleanup(self.client.close, PATIENCE * 1000)

    async def eventually(self, question: Callable[[], Awaitable[T]]) -> T:
        """Asks until the answer is true."""
        for _ in range(PATIENCE * 50):
            answer = await question()
            if answer:
                return answer
            await asyncio.sleep(0.02)
        raise AssertionError("it never came to it")


class Calls(AsyncTest):
    async def test_every_kind_of_answer(self) -> None:
        client, key = self.client, prefix() + "key"
        self.assertIsNone(await client.kv.put(key, "value", flags=7))
        pair = await client.kv.get(key)
        assert pair is not None
        self.assertEqual((pair.text, pair.flags), ("value", 7))
        none, meta = await client.kv.get_with_meta(key + "/none")
        self.assertIsNone(none)
        self.assertGreater(meta.index, 0)
        self.assertIs(await client.kv.cas(key, "new", 1), False)
        self.assertIs(await client.kv.cas(key, "new", pair.modify_index), True)
        self.assertEqual(await client.kv.keys(key), [key])
        self.assertEqual([p.text for p in await client.kv.list(key)], ["new"])
        self.assertIn(":", await client.status.leader() or "")
        node = (await client.agent.self()).node_name
        self.assertIn(node, [member.name for member in await client.agent.members()])
        found = await client.catalog.node(node)
        assert found is not None
        self.assertEqual(found.node.name, node)
        self.assertIsNone(await client.catalog.node("nobody"))
        self.assertIn("consul", [name.name for name in await client.catalog.services()])
        self.assertEqual((await client.health.node(node))[0].node, node)
        event = await client.event.fire(key.replace("/", "-"), "payload")
        self.assertEqual((event.payload, event.ltime), (b"payload", 0))
        self.assertIsNotNone(await client.event.list())
        response = await client.request("GET", "/v1/kv/" + key, query={"raw": True})
        self.assertEqual((response.status, response.text), (200, "new"))

    async def test_transactions(self) -> None:
        client, key = self.client, prefix() + "key"
        rows = await client.txn().set(key, "1").get(key).commit()
        self.assertEqual(len(rows), 2)
        with self.assertRaises(consul_ffi.RolledBack) as caught:
            await client.txn().check_not_exists(key).set(key, "2").commit()
        self.assertEqual(caught.exception.errors[0].operation, 0)

    async def test_services(self) -> None:
        name = prefix().strip("/")
        await self.client.agent.service_register(
            ServiceSpec(name, port=80, checks=[CheckSpec(ttl_ms=60_000)])
        )
        await self.client.agent.check_pass(f"service:{name}")
        with self.assertRaises(consul_ffi.NotFound):
            await self.client.agent.check_pass(f"service:{name}-none")
        instances = await self.client.health.service(name, index=0)
        self.assertEqual(instances[0].port, 80)
        await self.client.agent.service_deregister(name)

    async def test_many_at_once(self) -> None:
        keys = [prefix() + "key" for _ in range(300)]
        await asyncio.gather(*(self.client.kv.put(key, key) for key in keys))
        pairs = await asyncio.gather(*map(self.client.kv.get, keys))
        self.assertEqual([pair.text for pair in pairs if pair], keys)

    async def test_errors_are_those_of_the_blocking_client(self) -> None:
        async with client_of("http://127.0.0.1:1") as client:
            with self.assertRaises(consul_ffi.ConnectError) as caught:
                await client.kv.get("key")
            self.assertEqual(caught.exception.endpoint, "http://127.0.0.1:1")
        with self.assertRaises(consul_ffi.ArgumentError):
            await self.client.kv.get("a\0b")
        with self.assertRaises(consul_ffi.ArgumentError):
            await self.client.kv.get("")
        with self.assertRaises(TypeError):
            await self.client.kv.get("key", tiemout_ms=5)  # type: ignore[call-arg]

    async def test_a_blocking_query_leaves_the_loop_to_others(self) -> None:
        key = prefix() + "key"
        _, meta = await self.client.kv.get_with_meta(key)
        query = self.client.kv.get(key, index=meta.index, wait_ms=60_000)
        await self.client.kv.put(key, "news")
        pair = await query
        assert pair is not None
        self.assertEqual(pair.text, "news")


class Cancellation(unittest.IsolatedAsyncioTestCase):
    async def cancelled(self, cancel: Callable[[AsyncClient, Silent], Awaitable[None]]) -> None:
        silent = Silent()
        with server(silent) as address:
            async with client_of(address) as client:
                await cancel(client, silent)
                loop = asyncio.get_running_loop()
                # While the client is open: the request itself has ended.
                gone = await loop.run_in_executor(None, silent.gone.wait, PATIENCE)
                self.assertTrue(gone)

    async def test_a_cancelled_task_ends_its_request(self) -> None:
        async def cancel(client: AsyncClient, silent: Silent) -> None:
            async def ask() -> None:
                await client.kv.get("key")

            task = asyncio.create_task(ask())
            await asyncio.get_running_loop().run_in_executor(None, silent.asked.wait, PATIENCE)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        await self.cancelled(cancel)

    async def test_a_time_limit_ends_its_request(self) -> None:
        async def cancel(client: AsyncClient, silent: Silent) -> None:
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(client.kv.get("key"), 0.2)

        await self.cancelled(cancel)

    async def test_closing_ends_what_is_in_flight(self) -> None:
        silent = Silent()
        with server(silent) as address:
            client = client_of(address)
            call = client.kv.get("key")
            await asyncio.get_running_loop().run_in_executor(None, silent.asked.wait, PATIENCE)
            await client.close()
            with self.assertRaises(consul_ffi.Closed):
                await call
            with self.assertRaises(consul_ffi.Closed):
                await client.kv.get("key")
            await client.close()


class Semaphores(AsyncTest):
    async def test_a_slot_is_held_in_its_block(self) -> None:
        name = prefix() + "jobs"
        async with self.client.semaphore(name, 1, value="me") as semaphore:
            self.assertTrue(semaphore.is_held)
            self.assertFalse(semaphore.lost)
            other = self.client.semaphore(name, 1)
            self.assertIs(await other.try_acquire(), False)
            self.assertEqual(other.holders, [semaphore.session_id])
            with self.assertRaises(LimitConflict):
                await self.client.semaphore(name, 2).acquire()
        self.assertIs(await other.acquire(PATIENCE * 1000), True)
        assert other.session_id is not None
        await self.client.session.destroy(other.session_id)
        self.assertIs(await other.lost.wait(PATIENCE * 1000), True)
        self.assertIs(await self.client.semaphore(name, 1).destroy(), True)


class Locks(AsyncTest):
    async def test_a_lock_is_held_in_its_block(self) -> None:
        key = prefix() + "lock"
        async with self.client.lock(key, value="me") as lock:
            self.assertTrue(lock.is_held)
            self.assertFalse(lock.lost)
            other = self.client.lock(key)
            self.assertIs(await other.try_acquire(), False)
            self.assertEqual(other.holder, lock.session_id)
            await lock.put(key + "-written", "while held")
        self.assertFalse(lock.is_held)
        self.assertIs(await other.acquire(PATIENCE * 1000), True)
        await other.release()
        self.assertIs(await other.destroy(), True)

    async def test_held_is_raised_after_the_time(self) -> None:
        key = prefix() + "lock"
        async with self.client.lock(key):
            other, ms = self.client.lock(key, acquire_timeout_ms=500), 500
            with self.assertRaises(consul_ffi.Held):
                while True:
                    try:
                        async with other:
                            self.fail("two hold it")
                    except consul_ffi.Timeout:
                        # Longer where Consul takes longer to say who holds it.
                        ms *= 2
                        if ms > PATIENCE * 1000:
                            raise
                        other = self.client.lock(key, acquire_timeout_ms=ms)

    async def test_a_cancelled_acquire_leaves_nothing(self) -> None:
        key, name = prefix() + "lock", prefix()
        async with self.client.lock(key):
            waiting = self.client.lock(key, session=SessionSpec(name=name))
            task = asyncio.create_task(waiting.acquire())
            await self.eventually(lambda: self.is_waiting(waiting))
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            await self.eventually(lambda: self.no_session(name))
        self.assertFalse(waiting.is_held)

    async def test_an_acquire_that_is_cancelled_just_after_it_went_well_is_given_back(self) -> None:
        key, name = prefix() + "lock", prefix()
        lock = self.client.lock(key, session=SessionSpec(name=name))
        call = lock._acquire(PATIENCE * 1000)
        while not lock.is_held:  # without the loop, which would take the event
            pass
        call.cancel()
        await self.eventually(lambda: self.no_session(name))
        self.assertFalse(lock.is_held)

    async def test_a_loss_is_told(self) -> None:
        key = prefix() + "lock"
        with self.assertRaises(consul_ffi.LockLost):
            async with self.client.lock(key) as lock:
                waiting = asyncio.create_task(lock.lost.wait())
                assert lock.session_id is not None
                await self.client.session.destroy(lock.session_id)
                self.assertTrue(await waiting)
                self.assertIn(lock.lost.reason, ("session_invalid", "key_released"))

    async def test_what_else_ends_the_wait_for_a_loss(self) -> None:
        lock = self.client.lock(prefix() + "lock")
        with self.assertRaises(consul_ffi.NotHeld):
            await lock.lost.wait()
        endings: list[tuple[Callable[[], object], type[Exception]]] = [
            (lambda: asyncio.ensure_future(lock.release()), consul_ffi.NotHeld),
            (lambda: threading.Thread(target=lock.stop).start(), consul_ffi.Cancelled),
            (lock.close, consul_ffi.ConsulError),
        ]
        for end, error in endings:
            self.assertTrue(lock.is_held or await lock.acquire(PATIENCE * 1000))
            self.assertIs(await lock.lost.wait(1), False)
            waiting = [asyncio.create_task(lock.lost.wait()) for _ in range(2)]
            await asyncio.sleep(0)
            ending = end()
            for each in waiting:
                with self.assertRaises(error):
                    await asyncio.wait_for(each, PATIENCE)
            del ending

    async def test_the_wait_for_a_loss_does_not_poll(self) -> None:
        async with self.client.lock(prefix() + "lock") as lock:
            looks = 0
            look = lock.functions.wait_lost

            def counted(*arguments: object) -> int:
                nonlocal looks
                looks += 1
                return look(*arguments)

            with mock.patch.object(lock.functions, "wait_lost", counted):
                self.assertIs(await lock.lost.wait(500), False)
            self.assertLessEqual(looks, 3)

    async def test_a_kept_session(self) -> None:
        name = prefix()
        async with await self.client.session.start(SessionSpec(name=name)) as session:
            self.assertTrue(session.is_valid)
            self.assertTrue(await self.sessions(name))
            async with self.client.lock(prefix() + "lock", session=session) as lock:
                self.assertEqual(lock.session_id, session.id)
        self.assertTrue(await self.no_session(name))

    async def is_waiting(self, lock: AsyncLock) -> bool:
        return lock.holder is not None

    async def sessions(self, name: str) -> list[consul_ffi.Session]:
        return [each for each in await self.client.session.list() if each.name == name]

    async def no_session(self, name: str) -> bool:
        return not await self.sessions(name)


class Watches(AsyncTest):
    async def test_changes_come_as_they_happen(self) -> None:
        key, seen = prefix() + "key", []
        async for view in self.client.watch.key(key):
            seen.append(view.pair.text if view.pair else None)
            if len(seen) == 3:
                break
            await self.client.kv.put(key, f"{len(seen)}")
        self.assertEqual(seen, [None, "1", "2"])

    async def test_a_cancelled_iteration(self) -> None:
        watch = self.client.watch.prefix(prefix())

        async def follow() -> None:
            async for _ in watch:
                pass

        task = asyncio.create_task(follow())
        await watch.wait_ready()
        await asyncio.sleep(0)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        # Others go on with it.
        self.assertEqual(watch.view().state, "empty")
        watch.close()

    async def test_it_ends_when_it_is_stopped_and_fails_when_the_client_is_closed(self) -> None:
        stopped = self.client.watch.nodes()
        async for view in stopped:
            self.assertGreater(len(view), 0)
            stopped.stop()
        async with AsyncClient() as client:
            # Of a key that nobody writes: it ends with the client alone.
            closed = client.watch.key(prefix() + "key")
            updates = aiter_of(closed)
            await updates.__anext__()
            waiting = asyncio.ensure_future(updates.__anext__())
            await asyncio.sleep(0)
        with self.assertRaises(consul_ffi.Closed):
            await waiting

    async def test_what_is_known_is_no_news(self) -> None:
        key = prefix() + "key"
        await self.client.kv.put(key, "old")
        _, meta = await self.client.kv.get_with_meta(key)
        updates = aiter_of(self.client.watch.key(key, last_seen_index=meta.index))
        waiting = asyncio.ensure_future(updates.__anext__())
        await self.client.watch.key(key).wait_ready()
        await self.client.kv.put(key, "new")
        view = await waiting
        self.assertEqual(view.pair.text, "new")

    async def test_a_view_is_moved_without_blocking(self) -> None:
        key = prefix() + "key"
        async with self.client.watch.key(key) as watch:
            view = (await watch.wait_ready(PATIENCE * 1000)).view()
            self.assertIs(await watch.wait(view, 1), False)
            moving = asyncio.ensure_future(watch.wait(view))
            await self.client.kv.put(key, "1")
            self.assertIs(await moving, True)
            assert view.pair is not None
            self.assertEqual(view.pair.text, "1")
            moving = asyncio.ensure_future(watch.wait(view))
            await asyncio.sleep(0)
            watch.stop()
            with self.assertRaises(consul_ffi.Cancelled):
                await moving

    async def test_a_state_that_does_not_come(self) -> None:
        async with client_of("http://127.0.0.1:1") as client:
            async with client.watch.nodes() as watch:
                timeout = self.assertRaisesRegex(consul_ffi.Timeout, "found within 100 ms: ")
                with timeout:
                    await watch.wait_ready(100)
                self.assertEqual(watch.view().state, "pending")
                await self.eventually(lambda: self.fails(watch))

    async def fails(self, watch: Any) -> bool:
        stats = watch.stats()
        return stats.consecutive_failures > 0 and isinstance(
            stats.last_error, consul_ffi.ConnectError
        )


def aiter_of(watch: Any) -> Any:
    """`aiter` is of Python 3.10."""
    return watch.__aiter__()


class Loops(unittest.TestCase):
    def setUp(self) -> None:
        if "CONSUL_HTTP_ADDR" not in os.environ:
            missing("Consul")

    def test_a_client_works_in_one_loop_after_the_other_but_not_in_two(self) -> None:
        client = AsyncClient()

        async def ask() -> bool:
            return await client.status.leader() is not None

        self.assertTrue(asyncio.run(ask()))
        self.assertTrue(asyncio.run(ask()))

        async def both() -> None:
            await ask()
            with self.assertRaises(RuntimeError):
                await asyncio.get_running_loop().run_in_executor(None, asyncio.run, ask())
            await client.close()

        asyncio.run(both())

    def test_nothing_is_left_of_what_is_forgotten(self) -> None:
        async def forget() -> None:
            await AsyncClient().status.leader()
            async for _ in AsyncClient().watch.nodes():
                break
            gc.collect()
            await asyncio.sleep(0)

        gc.collect()
        before = consul_ffi.live_handles()
        asyncio.run(forget())
        gc.collect()
        self.assertEqual(consul_ffi.live_handles(), before)

    def test_a_loop_that_is_closed_ends_what_was_under_way(self) -> None:
        async def forget() -> None:
            client = AsyncClient()
            await client.status.leader()
            client.kv.get(prefix(), index=1 << 40, wait_ms=600_000)

        gc.collect()
        before = consul_ffi.live_handles()
        for _ in range(3):
            asyncio.run(forget())
        gc.collect()
        self.assertEqual(consul_ffi.live_handles(), before)

    def test_so_it_does_where_the_program_knows_client_and_call(self) -> None:
        begin: list[Callable[[AsyncClient], Any]] = [
            lambda client: client.kv.get("key"),
            lambda client: client.session.start(),
            lambda client: asyncio.ensure_future(client.lock("key").acquire()),
        ]
        for call in begin:
            for is_known in (True, False):
                self.ends_with_its_loop(call, is_known)

    def ends_with_its_loop(self, begin: Callable[[AsyncClient], Any], is_known: bool) -> None:
        silent, kept = Silent(), []

        async def ask(address: str) -> None:
            client = client_of(address, timeout_ms=PATIENCE * 10_000)
            call = begin(client)
            if is_known:
                kept.extend((client, call))
            await asyncio.get_running_loop().run_in_executor(None, silent.asked.wait, PATIENCE)

        with server(silent) as address:
            asyncio.run(ask(address))
            self.assertTrue(silent.gone.wait(PATIENCE))

    def test_an_acquire_that_ended_well_for_nobody_as_the_loop_ended_is_given_back(self) -> None:
        name, client, loop = prefix(), AsyncClient(), asyncio.new_event_loop()
        lock = client.lock(name + "lock", session=SessionSpec(name=name))

        def cancel() -> None:
            # In one step of the loop, which takes no event any more.
            call = lock._acquire(PATIENCE * 1000)
            self.assertTrue(select.select([call._inbox._fd], [], [], PATIENCE)[0])
            self.assertTrue(call.cancel())
            loop.stop()

        loop.call_soon(cancel)
        loop.run_forever()
        loop.close()
        with consul_ffi.Client() as asked:
            self.gone(asked, name)
        self.assertFalse(lock.is_held)
        asyncio.run(client.close())

    def test_so_it_is_for_a_task_that_is_cancelled_before_it_goes_on(self) -> None:
        name, client = prefix(), AsyncClient()
        lock = client.lock(name + "lock", session=SessionSpec(name=name))
        begin = lock._acquire

        async def acquire() -> None:
            task = asyncio.ensure_future(lock.acquire())

            def cancelled(limit: int) -> Any:
                call = begin(limit)
                call.add_done_callback(lambda _: task.cancel())
                return call

            with mock.patch.object(lock, "_acquire", cancelled):
                with self.assertRaises(asyncio.CancelledError):
                    await task

        asyncio.run(acquire())
        with consul_ffi.Client() as asked:
            self.gone(asked, name)
        self.assertFalse(lock.is_held)
        asyncio.run(client.close())

    def gone(self, client: consul_ffi.Client, name: str) -> None:
        eventually(lambda: all(each.name != name for each in client.session.list()))

    def test_a_program_that_closes_nothing_ends_well(self) -> None:
        program = """
import asyncio, warnings
from consul_ffi.aio import AsyncClient
async def main():
    # Says nothing of a machine that is busy.
    asyncio.get_running_loop().slow_callback_duration = 30
    client = AsyncClient()
    print(bool(await client.status.leader()))
    watch = await client.watch.nodes().wait_ready()
    call = client.kv.get("key", index=1 << 40)
asyncio.run(main(), debug=True)
"""
        process = python(program, PYTHONWARNINGS="error")
        self.assertEqual(finish(process), (0, "True\n", ""))


if __name__ == "__main__":
    unittest.main()
