"""Writes a key and reads it back: shows that package, library and Consul fit together."""

import consul_ffi

with consul_ffi.Client() as client:
    client.kv.put("packages/python", b"h\0llo")
    pair = client.kv.get("packages/python")
    assert pair is not None and pair.value == b"h\0llo", pair
    client.kv.delete("packages/python")
print("Python", consul_ffi.library_version())
