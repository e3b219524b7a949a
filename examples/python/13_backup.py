"""Saves the state of the servers in a file, and some keys as `consul kv export` does; brings both back.

A token needs management rights for a snapshot. It is restored only with the argument `restore`: that
takes back whatever anybody has written since it was saved.
"""

import os
import sys
import tempfile

import consul_ffi


def limit(client: consul_ffi.Client) -> str:
    pair = client.kv.get("app/backup/limit")
    return pair.text if pair else "missing"


with consul_ffi.Client() as client, tempfile.TemporaryDirectory() as folder:
    snapshot = os.path.join(folder, "consul.snap")
    client.kv.put("app/backup/limit", "10")
    client.kv.put("app/backup/name", "blue")

    saved = client.snapshot.save(snapshot)  # whole and checked, or it is not there
    print("saved:", "with its index" if saved.index else "without an index")

    exported = client.kv.export("app/backup/")
    client.kv.delete_prefix("app/backup/")
    client.kv.import_(exported)
    print("imported:", limit(client))

    client.kv.put("app/backup/limit", "20")
    if sys.argv[1:] == ["restore"]:
        client.snapshot.restore(snapshot)
        print("restored:", limit(client))
    client.kv.delete_prefix("app/backup/")
