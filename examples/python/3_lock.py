"""One process at a time does the work, however many run: start it twice."""

import sys
import time

import consul_ffi

with consul_ffi.Client() as client:
    try:
        with client.lock("app/leader", value="worker", acquire_timeout_ms=30_000) as lock:
            # A store that refuses lower tokens than it has seen is safe from a holder that was too
            # slow.
            print("leading, fencing token", lock.fencing_token, flush=True)

            time.sleep(0.2)  # Work goes here. A long one calls lock.check() between its steps.

            # Written only while the lock is held, whatever this process believes.
            lock.put("app/last-leader", "worker")
            print("done", flush=True)
    except consul_ffi.Held:
        sys.exit("somebody else leads")
    except consul_ffi.LockLost as error:
        sys.exit(f"the work is somebody else's now: {error}")
