"""Keys, values and transactions are exact."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
import unittest

import consul_ffi
from consul_ffi.aio import AsyncClient
from helper import ConsulTest, prefix, server

#: Above 2^53: what a double would round. The flags of the official client's locks are such a
#: number.
LOCK_FLAGS = 0x2DDCCBC058A50C18


class Keys(ConsulTest):
    def setUp(self) -> None:
        super().setUp()
        self.kv, self.prefix = self.client.kv, prefix()

    def test_values_are_bytes_with_a_text_helper(self) -> None:
        every_byte = bytes(range(256))
        self.kv.put(self.prefix + "bytes", every_byte)
        self.assertEqual(self.kv.get(self.prefix + "bytes").value, every_byte)
        self.kv.put(self.prefix + "text", "grüß 你好")
        pair = self.kv.get(self.prefix + "text")
        self.assertEqual((pair.value, pair.text), ("grüß 你好".encode(), "grüß 你好"))
        for value in (bytearray(b"a\0b"), memoryview(b"a\0b")):
            self.kv.put(self.prefix + "buffer", value)
            self.assertEqual(self.kv.get(self.prefix + "buffer").value, b"a\0b")
        self.kv.put(self.prefix + "empty", b"")
        self.assertEqual(self.kv.get(self.prefix + "empty").value, b"")
        with self.assertRaises(UnicodeDecodeError):
            self.kv.get(self.prefix + "bytes").text

    def test_values_are_encrypted_at_rest(self) -> None:
        first = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        second = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

        def sealing(key: str, old: str = "") -> consul_ffi.Client:
            client = consul_ffi.Client(
                encryption_key=key, encryption_old_keys=old, encryption_prefixes=self.prefix
            )
            self.addCleanup(client.close)
            return client

        before, after, alone = sealing(first), sealing(second, first), sealing(second)
        key = self.prefix + "secret"
        before.kv.put(key, "s3cret")
        self.assertEqual(before.kv.get(key).text, "s3cret")
        self.assertEqual(self.kv.get(key).value[:4], b"\0CFE")
        with self.assertRaisesRegex(consul_ffi.CryptoError, key):
            alone.kv.get(key)
        done = after.kv.reencrypt(self.prefix)
        self.assertEqual(done, consul_ffi.Reencryption(1, 0, 0, 0, 0))
        self.assertEqual(alone.kv.get(key).text, "s3cret")
        with self.assertRaises(consul_ffi.ConfigError):
            self.kv.reencrypt(self.prefix)

    def test_a_key_without_a_prefix_is_a_warning(self) -> None:
        consul_ffi.log.set_level("warning")
        self.addCleanup(consul_ffi.log.set_level, None)
        consul_ffi.log.take()
        key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        consul_ffi.Client(encryption_key=key).close()
        said = [record.message for record in consul_ffi.log.take()]
        said = [message for message in said if "encryption" in message]
        self.assertEqual(len(said), 1, said)
        self.assertIn("nothing is encrypted", said[0])
        self.assertNotIn(key, said[0])

    def test_keys_are_exact(self) -> None:
        for key in ("a b", "ä/ö", "50%", "a+b", "q?x=1&y#z", "你好"):
            self.kv.put(self.prefix + key, key)
            self.assertEqual(self.kv.get(self.prefix + key).key, self.prefix + key)
        self.assertEqual(len(self.kv.keys(self.prefix)), 6)

    def test_a_key_with_a_nul_is_refused_not_cut(self) -> None:
        self.kv.put(self.prefix + "a", "kept")
        for call in (
            lambda key: self.kv.put(key, "x"),
            self.kv.get,
            self.kv.list,
            self.kv.keys,
            self.kv.delete,
            self.kv.delete_prefix,
            self.client.lock,
            lambda key: self.client.txn().set(key, "x"),
        ):
            with self.assertRaisesRegex(consul_ffi.ArgumentError, "has a NUL at character"):
                call(self.prefix + "a\0b")
        self.assertEqual(self.kv.get(self.prefix + "a").text, "kept")

    def test_flags_and_indexes_keep_64_bits(self) -> None:
        for flags in (0, 2**53 + 1, LOCK_FLAGS, 2**64 - 1):
            self.kv.put(self.prefix + "f", "", flags=flags)
            self.assertEqual(self.kv.get(self.prefix + "f").flags, flags)
        self.kv.update(self.prefix + "f", "new")
        pair = self.kv.get(self.prefix + "f")
        self.assertEqual((pair.flags, pair.text), (2**64 - 1, "new"))
        for flags in (-1, 2**64):
            with self.assertRaisesRegex(consul_ffi.ArgumentError, "flags must be from 0 to 2.64"):
                self.kv.put(self.prefix + "f", "", flags=flags)

    def test_what_does_not_exist_is_none_and_has_an_index_to_wait_on(self) -> None:
        self.assertIsNone(self.kv.get(self.prefix + "none"))
        pair, meta = self.kv.get_with_meta(self.prefix + "none")
        self.assertIsNone(pair)
        self.assertGreater(meta.index, 0)
        self.assertTrue(meta.known_leader)
        self.assertEqual(self.kv.list(self.prefix), [])
        self.kv.delete(self.prefix + "none")

    def test_a_compare_and_set_that_loses_is_false(self) -> None:
        key = self.prefix + "cas"
        self.assertTrue(self.kv.cas(key, "1", 0))
        self.assertFalse(self.kv.cas(key, "2", 0))
        modify_index = self.kv.get(key).modify_index
        self.assertTrue(self.kv.cas(key, "2", modify_index, flags=7))
        self.assertFalse(self.kv.delete_cas(key, modify_index))
        pair = self.kv.get(key)
        self.assertEqual((pair.text, pair.flags), ("2", 7))
        self.assertTrue(self.kv.delete_cas(key, pair.modify_index))
        self.assertTrue(self.kv.delete_cas(key, pair.modify_index))

    def test_lists_have_rows_and_meta(self) -> None:
        for name in ("a", "b/c", "b/d"):
            self.kv.put(self.prefix + name, name, flags=2)
        pairs = self.kv.list(self.prefix)
        self.assertEqual([pair.text for pair in pairs], ["a", "b/c", "b/d"])
        self.assertEqual(pairs[1].key, self.prefix + "b/c")
        self.assertEqual(pairs.meta.index, max(pair.modify_index for pair in pairs))
        self.assertEqual(self.kv.keys(self.prefix, "/"), [self.prefix + "a", self.prefix + "b/"])
        self.kv.delete_prefix(self.prefix + "b")
        self.assertEqual(self.kv.keys(self.prefix), [self.prefix + "a"])
        with self.assertRaises(consul_ffi.ArgumentError):
            self.kv.delete_prefix("")

    def test_a_list_has_of_each_key_what_a_get_has(self) -> None:
        session = self.client.session.create()
        self.addCleanup(self.client.session.destroy, session)
        for number, value in enumerate((b"", b"a\0b", b"", bytes(range(256)) * 9, b"x", b"")):
            key = f"{self.prefix}{number}/{'ü你' * number}"
            self.kv.put(key, value, flags=LOCK_FLAGS * number % 2**64)
            if number in (1, 4):
                self.assertTrue(self.kv.acquire(key, value, session))
        pairs, names = self.kv.list(self.prefix), self.kv.keys(self.prefix)
        self.assertEqual(pairs, [self.kv.get(name) for name in names])
        self.assertEqual([pair.key for pair in pairs], names)
        holders = [None, session, None, None, session, None]
        self.assertEqual([pair.session for pair in pairs], holders)
        self.assertEqual({type(pair) for pair in pairs}, {consul_ffi.Pair})
        self.assertEqual(pickle.loads(pickle.dumps(pairs[1])), pairs[1])
        for number in range(6):
            self.assertEqual(self.kv.list(f"{self.prefix}{number}"), pairs[number : number + 1])

        async def awaited() -> list[consul_ffi.Pair]:
            async with AsyncClient() as client:
                return await client.kv.list(self.prefix)

        self.assertEqual(asyncio.run(awaited()), pairs)

    def test_a_key_with_a_nul_is_read_whole(self) -> None:
        pair = '{"Key":"%s","Value":"%s","Flags":0,"LockIndex":0,"CreateIndex":1,"ModifyIndex":2}'
        stored = ("a", "YQ=="), (r"\u0000b\u0000", ""), ("c", "Yw==")
        answers = {
            "pairs": "[" + ",".join(pair % each for each in stored) + "]",
            "keys": r'["a","\u0000b\u0000","c"]',
        }

        def answer(connection: socket.socket) -> None:
            asked = connection.recv(65536)
            body = answers["keys" if b"keys" in asked.split(b"\r\n")[0] else "pairs"].encode()
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % len(body) + body)

        with server(answer) as address, consul_ffi.Client(address=address) as client:
            found = [(pair.key, pair.value) for pair in client.kv.list("")]
            self.assertEqual(found, [("a", b"a"), ("\0b\0", b""), ("c", b"c")])
            self.assertEqual(client.kv.keys(""), ["a", "\0b\0", "c"])

    def test_a_blocking_query_answers_when_the_key_changes(self) -> None:
        key = self.prefix + "blocking"
        _, meta = self.kv.get_with_meta(key)
        thread = threading.Thread(target=self.kv.put, args=(key, "now"))
        thread.start()
        pair, later = self.kv.get_with_meta(key, index=meta.index, wait_ms=30_000)
        thread.join()
        self.assertEqual(pair.text, "now")
        self.assertGreater(later.index, meta.index)

    def test_options_reach_consul(self) -> None:
        with self.assertRaises(consul_ffi.ConsulError):
            self.kv.get("a", datacenter="nowhere")
        self.kv.put(self.prefix + "a", "b")
        pair = self.kv.get(self.prefix + "a", consistency="consistent", timeout_ms=20_000)
        self.assertEqual(pair.text, "b")
        self.assertEqual(self.kv.get(self.prefix + "a", token=None).text, "b")

    def test_a_key_is_locked_for_a_session(self) -> None:
        key = self.prefix + "locked"
        session = self.client.session.create()
        other = self.client.session.create()
        self.assertTrue(self.kv.acquire(key, "mine", session))
        self.assertEqual(self.kv.get(key).session, session)
        self.assertFalse(self.kv.acquire(key, "theirs", other))
        self.assertTrue(self.kv.put_held(self.prefix + "x", "1", key, session))
        self.assertFalse(self.kv.put_held(self.prefix + "x", "2", key, other))
        self.assertFalse(self.kv.release(key, "theirs", other))
        self.assertTrue(self.kv.release(key, "mine", session))
        self.assertIsNone(self.kv.get(key).session)
        self.client.session.destroy(session)
        self.client.session.destroy(other)
        with self.assertRaises(consul_ffi.SessionInvalid):
            self.kv.acquire(key, "mine", session)

    def test_what_is_too_large_is_not_sent(self) -> None:
        with self.assertRaises(consul_ffi.TooLarge):
            self.kv.put(self.prefix + "big", b"x" * 600_000)


class Transactions(ConsulTest):
    def test_operations_are_applied_together(self) -> None:
        base = prefix()
        txn = self.client.txn().check_not_exists(base + "a")
        txn.set(base + "a", b"1\0", flags=LOCK_FLAGS)
        rows = txn.set(base + "b", "2").get(base + "a").get_tree(base).commit()
        self.assertEqual([row.key for row in rows[2:]], [base + "a", base + "a", base + "b"])
        self.assertEqual((rows[2].value, rows[2].flags), (b"1\0", LOCK_FLAGS))
        self.assertIsInstance(rows[2], consul_ffi.Pair)

    def test_a_transaction_that_is_rolled_back_says_why(self) -> None:
        key = prefix() + "a"
        self.client.kv.put(key, "kept")
        txn = self.client.txn().set(key, "new").check_not_exists(key)
        with self.assertRaises(consul_ffi.Conflict) as caught:
            txn.commit()
        self.assertIsInstance(caught.exception, consul_ffi.RolledBack)
        self.assertEqual([each.operation for each in caught.exception.errors], [1])
        self.assertIn("exists", caught.exception.errors[0].what)
        self.assertFalse(caught.exception.errors[0].denied)
        self.assertIn("operation 1:", str(caught.exception))
        self.assertEqual(self.client.kv.get(key).text, "kept")

    def test_what_consul_does_not_know_is_no_conflict(self) -> None:
        txn = self.client.txn().add({"KV": {"Verb": "burn", "Key": prefix() + "a"}})
        with self.assertRaises(consul_ffi.Unsupported) as caught:
            txn.commit()
        self.assertEqual([each.operation for each in caught.exception.errors], [0])
        self.assertIn("operation 0: unknown KV verb", str(caught.exception))
        self.assertEqual(caught.exception.http_status, 409)

    def test_every_operation_on_keys(self) -> None:
        base, session = prefix(), self.client.session.create()
        txn = self.client.txn()
        txn.lock(base + "l", "v", session).check_session(base + "l", session)
        txn.unlock(base + "l", "v", session).cas(base + "c", "v", 0).delete(base + "none")
        index = txn.commit()[0].modify_index
        again = self.client.txn().check_index(base + "l", index).delete_cas(base + "c", index)
        again.delete_tree(base).commit()
        self.assertEqual(self.client.kv.keys(base), [])
        self.client.session.destroy(session)

    def test_operations_in_json_give_nodes(self) -> None:
        node = {"Node": f"txn-{prefix()[:-1]}", "Address": "127.0.0.9"}
        operation = {"Node": {"Verb": "set", "Node": node}}
        (row,) = self.client.txn().add(operation).commit()
        self.assertEqual((row.kind, row.data["Node"]), ("node", node["Node"]))
        self.client.catalog.deregister_node(node["Node"])

    def test_what_cannot_be_is_refused_when_it_is_added(self) -> None:
        txn = self.client.txn().set(prefix() + "a", "1")
        with self.assertRaises(consul_ffi.ArgumentError):
            txn.delete_tree("")
        with self.assertRaises(consul_ffi.ArgumentError):
            txn.add("no json")
        self.assertEqual(len(txn.commit()), 1)


if __name__ == "__main__":
    unittest.main()
