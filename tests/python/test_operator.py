"""What operators do. What needs a management token runs in a program of its own, beside an agent that
denies by default."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import unittest

import consul_ffi
from helper import PATIENCE, ROOT, ConsulTest, eventually, prefix

GOSSIP = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

MANAGED = """
import gc, os, tempfile
import consul_ffi

def raises(kind, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"{call} raised nothing")

def is_gone(read, id):
    # Consul 1.8 says of tokens and policies what it says of an unknown token.
    try:
        assert read(id) is None
    except consul_ffi.Denied:
        pass

client = consul_ffi.Client()
acl, rules = client.acl, 'key_prefix "python-" { policy = "write" }'
policy = acl.policy_create({"Name": "python", "Rules": rules})
changed = acl.policy_update(policy["ID"], {"Name": "python", "Rules": rules, "Description": "d"})
assert changed["Description"] == "d"
assert acl.policy_read(policy["ID"])["Rules"] == rules
assert acl.policy_read_by_name("python")["ID"] == policy["ID"]
assert len(acl.policy_list()) >= 2

role = acl.role_create({"Name": "python", "Policies": [{"Name": "python"}]})
acl.role_update(role["ID"], {"Name": "python", "Policies": [{"ID": policy["ID"]}]})
assert acl.role_read(role["ID"])["Policies"][0]["Name"] == "python"
assert acl.role_read_by_name("python")["ID"] == role["ID"]
assert len(acl.role_list()) == 1

token = acl.token_create({"Roles": [{"Name": "python"}]})
with consul_ffi.Client(token=token["SecretID"]) as user:
    user.kv.put("python-key", "before")
    error = raises(consul_ffi.Denied, user.kv.put, "other", "v")
    assert token["SecretID"] not in str(error)
    assert user.acl.token_self()["AccessorID"] == token["AccessorID"]
    txn = user.txn().set("python-key", "v").set("other", "v")
    with consul_ffi.Queue() as queue:
        ticket = user.on(queue).txn().set("python-key", "v").set("other", "v").commit()
        assert queue.next(timeout_ms=10_000) is ticket
        for commit in (txn.commit, ticket.result):
            error = raises(consul_ffi.Denied, commit)
            assert [each.operation for each in error.errors] == [1] and error.errors[0].denied
            assert "operation 1: Permission denied" in str(error) and error.http_status == 409
    # An error knows where it was raised, and so the transaction.
    del txn, ticket, commit, error
    gc.collect()
    raises(consul_ffi.Denied, user.acl.logout)
    raises(consul_ffi.Denied, user.agent.leave)
clone = acl.token_clone(token["AccessorID"], "second")
assert clone["Description"] == "second" and len(acl.token_list(role_id=role["ID"])) == 2
assert acl.token_update(token["AccessorID"], {"Description": "d"})["Description"] == "d"
assert acl.token_read(token["AccessorID"])["Description"] == "d"
for each in (token, clone):
    acl.token_delete(each["AccessorID"])
    is_gone(acl.token_read, each["AccessorID"])
acl.role_delete(role["ID"])
is_gone(acl.role_read, role["ID"])
acl.policy_delete(policy["ID"])
is_gone(acl.policy_read, policy["ID"])
# Nobody has the private key.
trusted = '''-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENE6uu9qnQp6KuNFawWqP+QTQxMR/
kjnyvYlQMy1IXKTrolUJaPKQ8EEbeLGz1upUSleKJjwlv9oypkFRd0Zu5A==
-----END PUBLIC KEY-----
'''
method = {"Name": "jwt", "Type": "jwt", "Config": {"JWTValidationPubKeys": [trusted]}}
assert acl.auth_method_create(method)["Name"] == "jwt"
assert acl.auth_method_read("jwt")["Config"]["JWTValidationPubKeys"] == [trusted]
assert acl.auth_method_update("jwt", method)["Type"] == "jwt"
assert len(acl.auth_method_list()) == 1
rule = {"AuthMethod": "jwt", "BindType": "role", "BindName": "readers"}
made = acl.binding_rule_create(rule)["ID"]
assert acl.binding_rule_read(made)["BindName"] == "readers"
assert acl.binding_rule_update(made, {**rule, "Description": "d"})["Description"] == "d"
assert len(acl.binding_rule_list()) == len(acl.binding_rule_list("jwt")) == 1
raises(consul_ffi.ConsulError, acl.login, "jwt", "a.b.c")
acl.binding_rule_delete(made)
assert acl.binding_rule_read(made) is None
acl.auth_method_delete("jwt")
assert acl.auth_method_read("jwt") is None
assert "s3cr3t" not in str(raises(consul_ffi.Denied, acl.login, "none", "s3cr3t"))
try:
    acl.bootstrap()  # works once, or was done by the agent itself
except consul_ffi.Denied:
    pass
raises(consul_ffi.Denied, acl.bootstrap)

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "consul.snap")
    saved = client.snapshot.save(path)
    assert saved.index > 0 and consul_ffi.inspect_snapshot(path) == saved
    client.kv.put("python-key", "after")
    assert client.snapshot.restore(path) == saved
    assert client.kv.get("python-key").value == b"before"
    # Without waiting, on a thread of its own.
    queue = consul_ffi.Queue()
    client.on(queue).snapshot.save(path)
    (ticket,) = queue
    assert ticket.result() == consul_ffi.inspect_snapshot(path)
    queue.close()
    assert os.listdir(folder) == ["consul.snap"]
client.close()
assert consul_ffi.live_handles() == 0
"""


class Operators(ConsulTest):
    def test_servers_of_raft_are_listed_and_only_known_ones_removed(self) -> None:
        (peer,) = self.client.operator.raft_peers()
        self.assertTrue(peer.is_leader and peer.is_voter)
        self.assertEqual(peer.address, self.client.status.leader())
        with self.assertRaises(consul_ffi.HttpError):
            self.client.operator.raft_peer_remove(id="none")
        with self.assertRaises(consul_ffi.HttpError):
            self.client.operator.raft_peer_remove(address="127.0.0.1:1")
        with self.assertRaises(TypeError):
            self.client.operator.raft_peer_remove()

    def test_autopilot_is_configured(self) -> None:
        operator = self.client.operator

        def ready() -> bool:
            try:
                return bool(operator.autopilot_config())
            except consul_ffi.HttpError:
                return False

        eventually(ready)
        config = operator.autopilot_config()
        self.assertEqual(config["LastContactThreshold"], "200ms")
        operator.autopilot_config_set(config)
        self.assertFalse(operator.autopilot_config_cas(config, 1))
        self.assertIn("Servers", operator.autopilot_health())
        try:
            self.assertIn("Servers", operator.autopilot_state())
        except consul_ffi.Unsupported as error:
            self.assertIn("Consul 1.9", str(error))

    def test_a_report_tells_how_the_cluster_is_also_of_one_that_is_away(self) -> None:
        report = self.client.operator.cluster_report()
        self.assertEqual(report["leader"], self.client.status.leader())
        self.assertTrue(report["endpoints"][0]["reachable"])
        with consul_ffi.Client(address="http://127.0.0.1:1") as nobody:
            report = nobody.operator.cluster_report()
        self.assertIsNone(report["leader"])
        self.assertEqual([missing["part"] for missing in report["missing"]], ["leader"])
        self.assertEqual([row["state"] for row in report["endpoints"]], ["down"])

    def test_gossip_that_is_not_encrypted_and_whom_it_cannot_join(self) -> None:
        operator, agent = self.client.operator, self.client.agent
        for call in (
            operator.keyring,
            lambda: operator.keyring_install(GOSSIP),
            lambda: operator.keyring_use(GOSSIP),
            lambda: operator.keyring_remove(GOSSIP),
            lambda: agent.join("127.0.0.1:1", wan=False),
        ):
            with self.assertRaises(consul_ffi.HttpError):
                call()
        try:
            agent.force_leave("none", prune=True)  # newer versions do not mind
        except consul_ffi.HttpError:
            pass

    def test_keys_are_exported_and_imported(self) -> None:
        keys, kv = prefix(), self.client.kv
        kv.put(keys + "a", b"\0\xff", flags=7)
        exported = kv.export(keys)
        self.assertEqual(json.loads(exported)[0]["key"], keys + "a")
        kv.delete_prefix(keys)
        kv.import_(exported)
        kv.import_(exported, prefix="copy-of-")
        pair = kv.get("copy-of-" + keys + "a")
        assert pair is not None
        self.assertEqual((pair.value, pair.flags), (b"\0\xff", 7))
        kv.delete_prefix("copy-of-" + keys)
        kv.delete_prefix(keys)
        with self.assertRaises(consul_ffi.ArgumentError):
            kv.import_("{}")

    def test_what_is_no_snapshot_is_refused(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"garbage")
            file.flush()
            with self.assertRaises(consul_ffi.DecodeError):
                consul_ffi.inspect_snapshot(file.name)
            with self.assertRaises(consul_ffi.DecodeError):
                self.client.snapshot.restore(file.name)

    def test_saving_in_a_queue_is_cancelled_and_leaves_no_file(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, tempfile.TemporaryDirectory() as folder:
            client = consul_ffi.Client(address=f"http://127.0.0.1:{silent.getsockname()[1]}")
            with client, consul_ffi.Queue() as queue:
                ticket = client.on(queue).snapshot.save(os.path.join(folder, "consul.snap"))
                connection, _ = silent.accept()
                connection.recv(1)  # the request is on its way
                ticket.cancel()
                self.assertIs(queue.next(PATIENCE * 1000), ticket)
                with self.assertRaises(consul_ffi.Cancelled):
                    ticket.result()
                connection.close()
            self.assertEqual(os.listdir(folder), [])

    def test_access_is_controlled_and_snapshots_are_restored_by_a_management_token(self) -> None:
        command = [ROOT / "tests/support/with-consul.sh", "--acl", "deny", sys.executable, "-c"]
        result = subprocess.run(
            [*map(str, command), MANAGED],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=3 * PATIENCE,
            env={**os.environ},
        )
        self.assertEqual(result.returncode, 0, result.stdout)


if __name__ == "__main__":
    unittest.main()
