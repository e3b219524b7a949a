"""Of all candidates for a key, one leads."""

from __future__ import annotations

import asyncio
import threading
import unittest
from typing import Any

import consul_ffi
from consul_ffi import Election, Leadership, SessionSpec
from consul_ffi.aio import AsyncClient
from helper import PATIENCE, ConsulTest, eventually, prefix

PATIENCE_MS = PATIENCE * 1000


class Elections(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.key = prefix() + "election"

    def candidate(self, value: str, **options: Any) -> Election:
        election = self.client.election(
            self.key, value=value, session_ttl_ms=60_000, lock_delay_ms=0, **options
        )
        self.addCleanup(election.close)
        return election

    def test_one_leads_and_the_others_see_who(self) -> None:
        one = self.candidate("one")
        self.assertTrue(one.wait_elected(PATIENCE_MS))
        self.assertTrue(one.is_leader)
        self.assertGreater(one.remaining_ms, 0)
        self.assertTrue(one.leader.is_self)
        self.assertEqual(one.leader.session, one.session_id)
        self.assertEqual(one.stats().state, "leading")
        self.assertIn("leading", repr(one))

        with self.client.election(self.key, observe_only=True) as observer:
            seen = observer.wait_leader(PATIENCE_MS)
            assert seen is not None
            self.assertEqual((seen.value, seen.modify_index), (b"one", one.fencing_token))
            self.assertTrue(seen and seen.node)
            self.assertFalse(seen.is_self)
            self.assertFalse(observer.wait_elected(0))
            self.assertIsNone(observer.wait_change(seen.version, 0))
            one.set_value("changed")
            seen = observer.wait_change(seen.version, PATIENCE_MS)
            assert seen is not None
            self.assertEqual(seen.value, b"changed")

            two = self.candidate("two")
            one.resign()
            self.assertFalse(one.is_leader)
            self.assertIsNone(one.session_id)
            self.assertTrue(two.wait_elected(PATIENCE_MS))
            self.assertGreater(two.fencing_token, one.fencing_token)
            two.close()
            one.campaign()
            self.assertTrue(one.wait_elected(PATIENCE_MS))

    def test_an_observer_is_iterated_until_it_is_closed(self) -> None:
        observer = self.client.election(self.key, observe_only=True)
        seen: list[Leadership] = []
        thread = threading.Thread(target=lambda: seen.extend(observer))
        thread.start()
        eventually(lambda: observer.leader.version == 1)
        one = self.candidate("one")
        self.assertTrue(one.wait_elected(PATIENCE_MS))
        eventually(lambda: observer.leader.value == b"one")
        one.resign()
        eventually(lambda: not observer.leader)
        last = observer.leader.version
        eventually(lambda: seen and seen[-1].version == last)
        observer.close()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertFalse(seen[0])
        self.assertIsNone(seen[-1].value)
        versions = [leader.version for leader in seen]
        self.assertEqual(versions, sorted(set(versions)))

    def test_it_takes_an_old_key_and_leaves_none_where_it_is_ephemeral(self) -> None:
        self.client.kv.put(self.key, "old")
        session = SessionSpec(name="special", lock_delay_ms=0)
        election = self.candidate("new", ephemeral=True, session=session)
        self.assertTrue(election.wait_elected(PATIENCE_MS))
        assert election.session_id is not None
        info = self.client.session.info(election.session_id)
        assert info is not None
        self.assertEqual((info.name, info.behavior), ("special", "delete"))
        election.resign()
        self.assertIsNone(self.client.kv.get(self.key))

    def test_what_cannot_be_is_refused(self) -> None:
        with self.assertRaises(consul_ffi.ConsulError):
            self.client.election("/slash")
        with self.assertRaises(consul_ffi.ConsulError):
            self.client.election(self.key, session_ttl_ms=1)


class AsyncElections(ConsulTest):
    def test_leaders_are_a_stream_and_calls_are_awaited(self) -> None:
        key = prefix() + "election"

        async def main() -> list[Any]:
            seen: list[Any] = []
            async with AsyncClient() as client:
                observer = client.election(key, observe_only=True)
                election = client.election(key, value="one", lock_delay_ms=0)
                self.assertTrue(await election.wait_elected(PATIENCE_MS))
                self.assertTrue(election.is_leader)
                assert await observer.wait_leader(PATIENCE_MS)
                await election.set_value("changed")

                async def follow() -> None:
                    async for leader in observer:
                        seen.append(leader.value)
                        if leader.value == b"changed":
                            await election.resign()
                        elif leader.value is None and b"changed" in seen:
                            observer.close()

                await asyncio.wait_for(follow(), PATIENCE)
                self.assertFalse(election.is_leader)
                self.assertFalse(await election.wait_elected(0))
                async with client.election(key, value="two") as two:
                    self.assertTrue(await two.wait_elected(PATIENCE_MS))
                election.close()
            return seen

        seen = asyncio.run(main())
        self.assertEqual(seen[-2:], [b"changed", None])
        eventually(lambda: not self.client.kv.get(key).session)


if __name__ == "__main__":
    unittest.main()
