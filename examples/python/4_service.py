"""Registers a service that says itself that it is well, and finds it as its callers do."""

import time

import consul_ffi

TTL_MS = 10_000

SERVICE = consul_ffi.ServiceSpec(
    name="example-web",
    port=8080,
    tags=["v1"],
    checks=[
        consul_ffi.CheckSpec(
            ttl_ms=TTL_MS,  # critical when it says nothing for this long
            deregister_after_ms=60_000,  # removed when it stays critical
        )
    ],
)

with consul_ffi.Client() as client:
    client.agent.service_register(SERVICE)
    try:
        for _ in range(3):  # in a program: as long as it serves, about three times in each TTL
            client.agent.check_pass("service:example-web")
            for instance in client.health.service("example-web", passing=True):
                print(f"{instance.address}:{instance.port} is {instance.status}")
            time.sleep(0.1)
    finally:
        client.agent.service_deregister("example-web")
