"""Writes a key, reads it back, deletes it."""

import consul_ffi

with consul_ffi.Client() as client:
    client.kv.put("app/greeting", "hello")

    pair = client.kv.get("app/greeting")
    if pair is None:
        print("no such key")
    else:
        # Values are bytes, `pair.value`; `text` is for those that are text.
        print(f"{pair.text}, modify index {pair.modify_index}")

    client.kv.delete("app/greeting")
