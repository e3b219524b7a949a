"""Writes a hundred keys at once from one thread, which has no event loop: calls arrive in a queue.
With asyncio it is `await asyncio.gather(...)` of the calls of `consul_ffi.aio.AsyncClient`."""

import sys

import consul_ffi

with consul_ffi.Client() as client, consul_ffi.Queue() as queue:
    # The same client, whose calls return tickets and arrive in the queue.
    later = client.on(queue)
    for number in range(100):
        later.kv.put(f"app/many/{number}", str(number))
    most = len(queue)

    written = 0
    for ticket in queue:  # as they end
        if ticket.error is None:
            written += 1
        else:
            print(ticket.error, file=sys.stderr)
    print(f"{written} keys written, {most} calls in flight at most")

    print(f"app/many/ has {len(client.kv.keys('app/many/'))} keys")
    client.kv.delete_prefix("app/many/")
