"""Follows a key without a watch: each query waits at Consul until the key changes."""

import sys
import time

import consul_ffi

KEY = "app/limit"


def follow(client: consul_ffi.Client, changes: int) -> None:
    """Prints the value of the key each time it changes."""
    index, modified, seen = 0, -1, 0
    while seen < changes:
        try:
            pair, meta = client.kv.get_with_meta(KEY, index=index, wait_ms=30_000)
        except consul_ffi.ConsulError as error:
            if not error.retryable:
                raise
            print("Consul cannot be asked:", error, file=sys.stderr)
            time.sleep(1)
            continue
        # An index that went back (a restored snapshot, new servers) means: start anew.
        index = meta.index if meta.index >= index else 0
        # The wait may end with nothing new.
        newest = pair.modify_index if pair else 0
        if newest != modified:
            print(KEY, "=", pair.text if pair else "nothing", flush=True)
            modified, seen = newest, seen + 1


with consul_ffi.Client() as client:
    follow(client, changes=int(sys.argv[1]) if len(sys.argv) > 1 else sys.maxsize)
