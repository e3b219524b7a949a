"""Follows a key by blocking queries: each one is answered when something changes, or when its wait
is over. Ends when the key's value is "stop"."""

import sys
import time

import consul_ffi

KEY = "app/limit"

with consul_ffi.Client() as client:
    index, shown, value = 0, -1, ""
    while value != "stop":
        try:
            # 0 is answered at once. The call's timeout grows with the wait by itself.
            pair, meta = client.kv.get_with_meta(KEY, index=index, wait_ms=30_000)
        except consul_ffi.ConsulError as error:
            if not error.retryable:
                raise
            print(error, file=sys.stderr)
            time.sleep(1)
            continue
        # An index that went back tells of a Consul that was restored: begin anew.
        index = meta.index if meta.index >= index else 0

        # A query can be answered although this key is as it was.
        version = pair.modify_index if pair else 0
        if version != shown:
            shown, value = version, pair.text if pair else ""
            print(f"{KEY} = {value}" if pair else f"{KEY} does not exist", flush=True)
