"""Two processes at a time do the work, however many run: start it three times."""

import sys
import time

import consul_ffi

with consul_ffi.Client() as client:
    try:
        with client.semaphore("app/imports", 2, acquire_timeout_ms=30_000):
            print("one of two", flush=True)

            time.sleep(0.2)  # Work goes here. A long one calls check() between its steps.
            print("done", flush=True)
    except consul_ffi.Held:
        sys.exit("two others are at it")
    except consul_ffi.LockLost as error:
        sys.exit(f"the work is somebody else's now: {error}")
