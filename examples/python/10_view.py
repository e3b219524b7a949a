"""Reads settings in place: a watch keeps asking Consul, and a view has what it found, so that reading
costs no request."""

import consul_ffi

LIMIT = "app/view/limit"


def show(view: consul_ffi.PairsView) -> None:
    # What was found stays when Consul is away; the view says how old it is.
    if view.state == "stale":
        print(f"as of {view.age_ms} ms ago: ", end="")
    limit = view.find(LIMIT)
    print(f"limit = {limit.text}" if limit else "no limit")


with consul_ffi.Client() as client:
    client.kv.put(LIMIT, "10")

    with client.watch.prefix("app/view/") as watch:
        view = watch.wait_ready(30_000).view()
        show(view)

        # Somebody changes a setting. Who has nothing else to do waits for the news.
        client.kv.put(LIMIT, "20")
        view.wait()
        show(view)

        # Who has refreshes the view before each piece of work: nothing is asked.
        served = 0
        for _ in range(100_000):
            view.refresh()
            served += view.find(LIMIT) is not None
        print(f"{served} requests served")

        client.kv.delete_prefix("app/view/")
        view.wait()
        show(view)
