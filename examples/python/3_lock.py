"""One process at a time does the work, however many run: start it twice."""

import os
import sys
import time

import consul_ffi

with consul_ffi.Client() as client:
    try:
        with client.lock("app/leader", value=f"worker {os.getpid()}", acquire_timeout_ms=10_000) as lock:
            # A store that refuses lower tokens than it has seen is safe from a holder that was too slow.
            print("leading, fencing token", lock.fencing_token, flush=True)
            for _ in range(3):
                lock.check()  # raises LockLost
                # Written only while the lock is held, whatever this process believes.
                lock.put("app/last-leader", f"worker {os.getpid()}")
                time.sleep(0.1)
        print("done")
    except consul_ffi.Held as error:
        print("somebody else leads:", error)
        sys.exit(1)
    except consul_ffi.LockLost as error:
        print("stop at once:", error)
        sys.exit(2)
