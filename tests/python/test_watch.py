"""Watches, live views, picks and leases."""

from __future__ import annotations

import gc
import math
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Callable

import consul_ffi
from consul_ffi import CheckSpec, ServiceSpec, Weights
from helper import PATIENCE, ConsulTest, client_of, eventually, finish, prefix, python

LONG = PATIENCE * 1000


class Watches(ConsulTest):
    def test_changes_come_as_they_happen(self) -> None:
        key, seen = prefix() + "key", []
        for view in self.client.watch.key(key):
            seen.append(view.pair.text if view.pair else None)
            if len(seen) == 3:
                break
            self.client.kv.put(key, f"{len(seen)}")
        self.assertEqual(seen, [None, "1", "2"])

    def test_it_ends_when_it_is_stopped_on_another_thread(self) -> None:
        with self.client.watch.key(prefix() + "key") as watch:
            stopper, seen = threading.Thread(target=watch.stop), []
            for view in watch:
                seen.append(view.state)
                stopper.start()
            self.assertEqual(seen, ["empty"])
            stopper.join()

    def test_it_fails_when_its_client_is_closed(self) -> None:
        client = consul_ffi.Client()
        with self.assertRaises(consul_ffi.Closed):
            for _ in client.watch.nodes():
                client.close()
        with self.assertRaises(consul_ffi.Closed):
            client.watch.nodes()

    def test_what_is_known_is_no_news(self) -> None:
        key = prefix() + "key"
        self.client.kv.put(key, "old")
        index = self.client.kv.get_with_meta(key)[1].index
        with self.client.watch.key(key, last_seen_index=index) as watch:
            watch.wait_ready(LONG)
            writer = threading.Timer(0.05, self.client.kv.put, (key, "new"))
            writer.start()
            view = next(iter(watch))
            assert view.pair is not None
            self.assertEqual(view.pair.text, "new")
            writer.join()

    def test_ctrl_c_ends_an_iteration(self) -> None:
        program = """
import consul_ffi
for _ in consul_ffi.Client().watch.nodes():
    print("waiting", flush=True)
"""
        process = python(program)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "waiting\n")
        process.send_signal(2)
        status, _, errors = finish(process)
        self.assertIn("KeyboardInterrupt", errors)
        self.assertNotEqual(status, 0)

    def test_a_state_that_does_not_come(self) -> None:
        with client_of("http://127.0.0.1:1") as client, client.watch.nodes() as watch:
            # The whole time, not that of the last slice of it.
            with self.assertRaisesRegex(consul_ffi.Timeout, "nothing was found within 250 ms: "):
                watch.wait_ready(250)
            view = watch.view()
            self.assertEqual((view.state, view.version, len(view)), ("pending", 0, 0))
            self.assertEqual(view.age_ms, math.inf)
            self.assertFalse(view.wait(10))
            error = eventually(lambda: watch.stats().last_error)
            self.assertIsInstance(error, consul_ffi.ConnectError)
            self.assertGreater(watch.stats().consecutive_failures, 0)
            self.assertEqual(watch.stats().state, "pending")

    def test_a_state_that_is_too_old_is_refused(self) -> None:
        with client_of("embedded:", wait_ms=50) as client:
            client.kv.put("a", "1")
            with client.watch.key("a", max_age_ms=0).wait_ready(PATIENCE * 1000) as watch:
                view = watch.view()
                assert view.pair is not None
                self.assertEqual((view.pair.text, len(view)), ("1", 1))
                client.embedded().fail_next(1_000_000, 500, "No cluster leader")
                eventually(lambda: view.state == "expired")
                for read in (len, list, lambda view: view.pair, lambda view: view.find("a")):
                    with self.assertRaises(consul_ffi.NoLeader):
                        read(view)
                client.embedded().reset_faults()
                eventually(lambda: view.state == "fresh")
                self.assertEqual(view.pair.text, "1")

    def test_what_cannot_be_watched(self) -> None:
        watch = self.client.watch
        with self.assertRaises(consul_ffi.ArgumentError):
            watch.key("")
        with self.assertRaises(consul_ffi.ArgumentError):
            watch.key("a\0b")
        with self.assertRaises(consul_ffi.ArgumentError):
            watch.state_checks("fine")
        with self.assertRaises(consul_ffi.ArgumentError):
            watch.prefix("a", floor=(100, 1))
        with self.assertRaises(consul_ffi.ArgumentError):
            watch.service("web", policy="healthy")  # type: ignore[arg-type]
        with self.assertRaises(TypeError):
            watch.key("a", tiemout_ms=5)  # type: ignore[call-arg]

    def test_what_was_found_last_is_kept_in_a_file(self) -> None:
        key = prefix() + "key"
        self.client.kv.put(key, "kept")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "last-good"
            with self.client.watch.key(key, last_good_file=path) as watch:
                watch.wait_ready(LONG)
                eventually(path.exists)
                self.assertIsNone(watch.stats().last_good_error)
            # Of the same Consul, which is gone.
            address = self.client.endpoint
            with consul_ffi.Client(address=address, token="none-such") as client:
                with client.watch.key(key, last_good_file=path) as watch:
                    view = watch.wait_ready(LONG).view()
                    self.assertEqual(view.pair and view.pair.text, "kept")

    def test_nothing_is_left_of_what_is_forgotten(self) -> None:
        def forget() -> None:
            for _ in self.client.watch.nodes():
                break
            self.client.watch.prefix("a/").view()

        gc.collect()
        before = consul_ffi.live_handles()
        forget()
        gc.collect()
        self.assertEqual(consul_ffi.live_handles(), before)


class Views(ConsulTest):
    def test_every_kind_is_read(self) -> None:
        watch, root = self.client.watch, prefix()
        node = self.client.agent.self().node_name
        self.client.kv.put(root + "a", "1")
        self.client.kv.put(root + "b", "2")
        pairs = watch.prefix(root).wait_ready(LONG).view()
        self.assertEqual([pair.text for pair in pairs], ["1", "2"])
        found = pairs.find(root + "b")
        assert found is not None
        self.assertEqual(found, self.client.kv.get(root + "b"))
        self.assertIsNone(pairs.find(root + "c"))
        names = watch.services().wait_ready(LONG).view()
        self.assertIn("consul", [each.name for each in names])
        nodes = watch.nodes().wait_ready(LONG).view()
        self.assertEqual(nodes.rows(), list(self.client.catalog.nodes()))
        for checks in (watch.node_checks(node), watch.state_checks("any")):
            view = checks.wait_ready(LONG).view()
            self.assertIn("serfHealth", [check.id for check in view])
        self.assertEqual(watch.service_checks("consul").wait_ready(LONG).view().rows(), [])
        path = watch.path("/v1/catalog/datacenters").wait_ready(LONG).view()
        self.assertEqual(path.json(), list(self.client.catalog.datacenters()))
        self.client.request("PUT", f"/v1/event/fire/{root.strip('/')}", "payload")
        for events in watch.events(root.strip("/")):
            if events:
                self.assertEqual([event.payload for event in events], [b"payload"])
                break

    def test_it_stands_still_until_it_is_moved(self) -> None:
        key = prefix() + "key"
        watch = self.client.watch.key(key)
        view, other = watch.wait_ready(LONG).view(), watch.view()
        self.assertEqual((view.state, view.pair), ("empty", None))
        self.client.kv.put(key, "value")
        self.assertTrue(other.wait(LONG))
        self.assertIsNone(view.pair)
        self.assertGreater(other.version, view.version)
        self.assertTrue(view.refresh())
        self.assertFalse(view.refresh())
        self.assertEqual(view.pair, self.client.kv.get(key))
        self.assertEqual(view.state, "fresh")
        self.assertGreater(view.index, 0)
        self.assertLess(view.age_ms, LONG)
        watch.close()
        self.assertEqual((view.state, view.pair and view.pair.text), ("stale", "value"))
        with self.assertRaises(consul_ffi.Cancelled):
            view.wait()
        view.close()
        self.assertEqual(view.state, "closed")

    def test_it_keeps_its_watch(self) -> None:
        key = prefix() + "key"
        view = consul_ffi.Client().watch.key(key).wait_ready(LONG).view()
        gc.collect()
        self.client.kv.put(key, "value")
        self.assertTrue(view.wait(LONG))
        self.assertEqual((view.state, view.pair), ("fresh", self.client.kv.get(key)))
        handles = consul_ffi.live_handles()
        view.close()
        # The client, the watch, and two views of it.
        self.assertEqual(consul_ffi.live_handles(), handles - 4)

    def test_it_moves_to_what_is_newer_and_to_nothing_else(self) -> None:
        key = prefix() + "key"
        watch = self.client.watch.key(key, max_rate=1000).wait_ready(LONG)
        writer = threading.Thread(
            target=lambda: [self.client.kv.put(key, str(number)) for number in range(200)]
        )
        writer.start()
        while writer.is_alive():
            view = watch.view()
            before = view.version
            if view.refresh():
                self.assertGreater(view.version, before)
        writer.join()

    def test_threads_may_share_one(self) -> None:
        root = prefix()
        view = self.client.watch.prefix(root, max_rate=1000).wait_ready(LONG).view()
        writing = True

        def read() -> None:
            while writing:
                view.refresh()
                for pair in view:
                    self.assertEqual(pair.key, root + pair.text)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(60):
            self.client.kv.put(f"{root}{number % 7}", f"{number % 7}")
            self.client.kv.delete(f"{root}{number % 5}")
        writing = False
        for thread in threads:
            thread.join()


    def test_threads_may_wait_by_one(self) -> None:
        key = prefix() + "key"
        view = self.client.watch.key(key, max_rate=1000).wait_ready(LONG).view()

        def wait() -> None:
            # Another thread may have moved the view to the newest state.
            while view.pair is None or view.pair.text != "last":
                view.wait(200)

        threads = [threading.Thread(target=wait) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(20):
            self.client.kv.put(key, str(number))
        self.client.kv.put(key, "last")
        for thread in threads:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())


class Picks(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.name = prefix().strip("/")
        for number in range(3):
            self.register(number)
        watch = self.client.watch.service(self.name, near="_agent")
        self.view = watch.wait_ready(LONG).view()
        while len(self.view) < 3:
            self.assertTrue(self.view.wait(LONG))

    def register(self, number: int) -> None:
        service_id = f"{self.name}-{number}"
        weights = Weights(10 if number == 1 else 1, 1)
        check = CheckSpec(ttl_ms=600_000, status="passing")
        self.client.agent.service_register(
            ServiceSpec(
                self.name,
                id=service_id,
                address=f"127.0.0.{number + 1}",
                port=80 + number,
                weights=weights,
                checks=[check],
            )
        )
        self.addCleanup(self.client.agent.service_deregister, service_id)

    def ids(self, *arguments: str) -> list[str]:
        picked = [self.view.pick(*arguments) for _ in range(60)]  # type: ignore[arg-type]
        return [each.service.id[-1] for each in picked if each]

    def test_every_way_of_picking(self) -> None:
        self.assertEqual(sorted(self.ids("round_robin")), sorted("012" * 20))
        self.assertEqual(set(self.ids("random")), set("012"))
        self.assertGreater(self.ids("weighted").count("1"), 30)
        self.assertEqual(len(set(self.ids("hash", "user-1"))), 1)
        self.assertEqual(len(self.ids("nearest")), 60)
        with self.assertRaises(consul_ffi.ArgumentError):
            self.view.pick("best")  # type: ignore[arg-type]

    def test_an_instance_is_found_by_its_id(self) -> None:
        found = self.view.find(f"{self.name}-2")
        assert found is not None
        self.assertEqual((found.address, found.port), ("127.0.0.3", 82))
        self.assertIsNone(self.view.find("none"))

    def test_leases_spread_the_load(self) -> None:
        with self.view.lease() as first, self.view.lease() as second:
            with self.view.lease() as third:
                ports = {first.port, second.port, third.port}
                self.assertEqual(ports, {80, 81, 82})
            with self.view.lease() as fourth:
                self.assertEqual(fourth.address, third.address)

    def test_what_cannot_be_picked_by_says_so(self) -> None:
        view = self.client.watch.service(self.name).wait_ready(LONG).view()
        for take in (view.pick, view.lease):
            with self.assertRaisesRegex(consul_ffi.ArgumentError, "near"):
                take("nearest")
            with self.assertRaisesRegex(consul_ffi.ArgumentError, "hash.* key"):
                take("hash")
            take("hash", "")

    def test_a_closed_view_says_so(self) -> None:
        watches = self.client.watch
        view, path = self.view, watches.path("/v1/agent/self").wait_ready(LONG).view()
        pair = watches.key("a").wait_ready(LONG).view()
        for closed in (view, path, pair):
            closed.close()
            closed.close()
        calls: list[Callable[[], object]] = [
            view.pick,
            view.lease,
            view.rows,
            view.refresh,
            lambda: view.wait(0),
            lambda: view.find("a"),
            lambda: len(view),
            lambda: path.body,
            lambda: pair.pair,
        ]
        for call in calls:
            with self.assertRaisesRegex(consul_ffi.Closed, "the view was closed"):
                call()
        self.assertEqual(view.state, "closed")
        self.assertIn("closed", repr(view))

    def test_none_to_pick(self) -> None:
        view = self.client.watch.service(self.name + "-none").wait_ready(LONG).view()
        self.assertIsNone(view.pick())
        with self.assertRaises(consul_ffi.NotFound):
            view.lease()


if __name__ == "__main__":
    unittest.main()
