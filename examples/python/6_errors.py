"""What can go wrong, and what a program does about it."""

import consul_ffi

TOKEN = "11111111-2222-3333-4444-555555555555"
KEY, PAYMENT = "app/payment", b"payment 4711"


def pay(client: consul_ffi.Client) -> str:
    """A change that was sent and not answered may have been applied, so it is not simply done
    again."""
    try:
        written = client.kv.cas(KEY, PAYMENT, modify_index=0, timeout_ms=30_000)
        return "written" if written else "it was there already"
    except consul_ffi.ConsulError as error:
        if not error.outcome_unknown:
            return "not written"
    pair = client.kv.get(KEY)
    if pair and pair.value == PAYMENT:
        return "no answer, but it was written"
    return "no answer, and not written so far"


with consul_ffi.Client() as client:
    # An honest no is a result.
    if client.kv.get("app/none") is None:
        print("not found: take the default")

    client.kv.put("app/counter", "1")
    if not client.kv.cas("app/counter", "1", modify_index=0):  # 0: only if the key does not exist
        print("conflict: read it again, then try again")
    client.kv.delete("app/counter")

    # What went wrong is an exception, one class a status; all are ConsulError.
    try:
        client.kv.get("app/none", token=TOKEN)
        print("denied: not here, this Consul asks for no token")
    except consul_ffi.Denied as error:
        print(f"denied: another token is needed (HTTP {error.http_status})")

    with consul_ffi.Client(address="http://127.0.0.1:1") as nobody:  # nobody listens there
        try:
            nobody.kv.get("app/none")
        except consul_ffi.ConnectError as error:
            print("connect:", "try again later" if error.retryable else "give up")

    try:
        # Consul answers this after a minute.
        client.request("GET", "/v1/kv/app/none?index=1000000000&wait=60s", timeout_ms=200)
    except consul_ffi.Timeout:
        print("timeout: the deadline passed")

    print("outcome:", pay(client))
    client.kv.delete(KEY)
