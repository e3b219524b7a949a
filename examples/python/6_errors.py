"""What went wrong, and what a program can do about it."""

import consul_ffi

with consul_ffi.Client() as client:
    # An honest no is a result, not an error.
    print("missing key:", client.kv.get("no/such/key"))
    print("lost compare-and-set:", client.kv.cas("no/such/key", "x", modify_index=1))

    # A mistake is found before anything is sent.
    try:
        client.kv.put("a\0b", "x")
    except consul_ffi.ArgumentError as error:
        print("bad key:", error)

    # Each status has its class; all are ConsulError.
    try:
        client.agent.check_pass("no-such-check")
    except consul_ffi.NotFound as error:
        print(f"heartbeat: {error.name}, HTTP status {error.http_status}")

# Nobody listens there.
with consul_ffi.Client(address="http://127.0.0.1:1", environment=False) as client:
    try:
        client.kv.put("app/limit", "5", timeout_ms=2000)
    except consul_ffi.ConsulError as error:
        if error.outcome_unknown:
            print("it may have been written: read before writing again")
        elif error.retryable:
            print(f"{type(error).__name__}, not written, may be tried again")
        else:
            raise
