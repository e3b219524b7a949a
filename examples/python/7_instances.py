"""Follows a service and picks one of its instances for each request."""

import consul_ffi

NAMES = {number: f"example-web-{number}" for number in (1, 2)}

with consul_ffi.Client() as client:
    for number, name in NAMES.items():
        spec = consul_ffi.ServiceSpec("example-web", id=name, port=8000 + number)
        client.agent.service_register(spec)

    with client.watch.service("example-web") as watch:
        view = watch.wait_ready(30_000).view()
        while len(view) < 2:
            view.wait(30_000)  # until the catalog knows them

        for _ in range(4):
            view.refresh()  # asks nobody: moves to the newest state that was found
            # The lease counts its use for who picks "least_connections".
            with view.lease("round_robin") as lease:
                print(f"a request to {lease.address}:{lease.port}")

        # When Consul is away the last instances stay, and the view says how old they are.
        print(f"the list is {view.state}")

    for name in NAMES.values():
        client.agent.service_deregister(name)
