"""Who owns which key: by a ring, and by the living nodes of a cluster."""

from __future__ import annotations

import asyncio
import sys
import threading
import unittest
from typing import Any, Callable

import consul_ffi
from consul_ffi import Cluster, Ring
from consul_ffi.aio import AsyncClient
from helper import PATIENCE, ROOT, ConsulTest, prefix

sys.path.insert(0, str(ROOT / "tests" / "ring"))
import golden  # noqa: E402

PATIENCE_MS = PATIENCE * 1000


class Rings(unittest.TestCase):
    def test_what_is_checked_in_is_what_the_other_implementation_says(self) -> None:
        found = (ROOT / "tests" / "ring" / "golden.txt").read_text(encoding="utf-8")
        self.assertEqual(found, golden.golden())

    def test_ten_thousand_keys_belong_to_the_nodes_that_another_implementation_says(self) -> None:
        text = (ROOT / "tests" / "ring" / "golden.txt").read_text(encoding="utf-8")
        _, letters, replicas = text.split("\n\n")
        names = [name for name, _ in golden.NODES]
        for nodes in golden.NODES, golden.NODES[::-1]:
            with Ring(dict(nodes)) as ring:
                owners = (ring.node_for_key(golden.key(n)) or "" for n in range(10_000))
                found = "".join(chr(ord("a") + names.index(owner)) for owner in owners)
                self.assertEqual(found, letters.replace("\n", ""))
                for number, wanted in enumerate(replicas.split()):
                    owned = ring.replicas_for_key(golden.key(number), len(wanted))
                    self.assertEqual(owned, [names[ord(letter) - ord("a")] for letter in wanted])

    def test_it_can_be_changed(self) -> None:
        ring = Ring(virtual_nodes=40)
        self.assertIsNone(ring.node_for_key("k"))
        ring.set(["b", "a"])
        ring.add("a", 3)
        self.assertEqual((ring.nodes, ring.weight("a"), ring.weight("c")), (["a", "b"], 3, 0))
        self.assertEqual((len(ring), ring.version), (2, 2))
        self.assertTrue(ring.remove("a"))
        self.assertFalse(ring.remove("a"))
        self.assertEqual(ring.node_for_key("é"), ring.node_for_key("é".encode()))
        self.assertIn("1 nodes", repr(ring))
        with self.assertRaises(consul_ffi.ArgumentError):
            ring.add("a", 0)
        with self.assertRaises(TypeError):
            ring.set("ab")
        with self.assertRaises(consul_ffi.ArgumentError):
            Ring(virtual_nodes=10_001)
        ring.close()
        ring.close()
        self.assertIsNone(ring.node_for_key("k"))


class Clusters(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.prefix = prefix()
        self.addCleanup(self.client.kv.delete_prefix, self.prefix)

    def options(self) -> dict[str, Any]:
        meta = {"rack": "r1"}
        return {"prefix": self.prefix, "ttl_ms": 60_000, "min_nodes": 2, "meta": meta}

    def member(self, id: str, **options: Any) -> Cluster:
        cluster = self.client.cluster(id, f"{id}:7000", **self.options(), **options)
        self.addCleanup(cluster.close)
        return cluster

    def until(self, cluster: Cluster, holds: Callable[[], bool]) -> None:
        """Waits for changes until it holds."""
        seen = cluster.version
        while not holds():
            self.assertTrue(cluster.wait_change(seen, PATIENCE_MS))
            seen = cluster.version

    def test_it_tells_who_is_in_it_who_leads_and_who_owns_a_key(self) -> None:
        one = self.member("one")
        one.wait_joined(PATIENCE_MS)
        self.until(one, lambda: one.is_leader and one.leader == "one")
        self.assertEqual((one.id, one.living, one.has_enough_nodes), ("one", 1, False))
        self.assertEqual((one.stats().state, repr(one)), ("joined", "<consul_ffi.Cluster one>"))
        self.assertLess(one.age_ms, 3_600_000)
        self.assertFalse(one.wait_change(one.version + 1000, 0))
        two = self.member("two", campaigns=False)
        two.wait_joined()
        self.until(one, lambda: one.living == 2)
        self.assertTrue(one.has_enough_nodes)
        nodes = one.nodes
        self.assertEqual([(n.id, n.state) for n in nodes], [("one", "alive"), ("two", "alive")])
        self.assertEqual((nodes[0].is_leader, nodes[1].meta), (True, {"rack": "r1"}))
        owner = one.node_for_key("AAPL")
        assert owner is not None
        self.assertEqual(owner.address, f"{owner.id}:7000")
        replicas = one.replicas_for_key(b"AAPL", 5)
        self.assertEqual((len(replicas), replicas[0].id), (2, owner.id))
        before = one.ring_version
        two.set_weight(7)
        two.set_meta("rack", None)
        self.until(one, lambda: one.ring_version != before)
        two.leave()
        with self.assertRaises(consul_ffi.Cancelled):
            two.wait_change(two.version + 1000, PATIENCE_MS)
        self.until(one, lambda: one.living == 1)
        self.assertEqual([n.state for n in one.nodes], ["alive", "left"])

    def test_changes_can_be_gone_through_until_it_is_left(self) -> None:
        cluster = self.member("one")
        cluster.wait_joined(PATIENCE_MS)
        versions = []
        for version in cluster:
            versions.append(version)
            if len(versions) == 1:
                threading.Thread(target=cluster.leave).start()
        self.assertEqual(versions, sorted(set(versions)))

    def test_an_id_that_somebody_has_is_waited_for(self) -> None:
        one = self.member("one", campaigns=False)
        one.wait_joined(PATIENCE_MS)
        again = self.member("one", campaigns=False)
        for timeout_ms in 0, 250:
            # The whole time, not that of the last slice of it.
            said = f"has not joined within {timeout_ms} ms: .*(another session|not answered)"
            with self.assertRaisesRegex(consul_ffi.Timeout, said):
                again.wait_joined(timeout_ms)
        one.close()
        again.wait_joined(PATIENCE_MS)

    def test_what_cannot_be_is_refused(self) -> None:
        for wrong in ({"weight": 0}, {"ttl_ms": 1}, {"leader_key": ""}):
            with self.assertRaises(consul_ffi.ArgumentError):
                self.client.cluster("one", **wrong)
        with self.assertRaises(consul_ffi.ArgumentError):
            self.client.cluster("a/b")

    def test_with_asyncio(self) -> None:
        async def main() -> None:
            async with AsyncClient() as client:
                async with client.cluster("one", "one:7000", **self.options()) as one:
                    await one.wait_joined(PATIENCE_MS)
                    async for _ in one:
                        if one.is_leader and one.leader == "one":
                            break
                    self.assertFalse(await one.wait_change(one.version + 1000, 0))
                    owner = one.node_for_key("AAPL")
                    assert owner is not None
                    self.assertEqual(owner.id, "one")
                keys = await client.kv.keys(self.prefix + "nodes/")
                self.assertEqual(list(keys), [])

        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
