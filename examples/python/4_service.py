"""Registers a service with a TTL check, keeps it alive, finds it, deregisters it."""

import sys
import time

import consul_ffi

SERVICE = consul_ffi.ServiceSpec(
    name="web",
    address="127.0.0.1",
    port=8080,
    # It turns critical when nobody reports on it for 15 s. What was critical for 10 minutes is
    # gone: a program that crashed leaves nothing behind.
    checks=[consul_ffi.CheckSpec(ttl_ms=15_000, deregister_after_ms=600_000)],
)


def find(client: consul_ffi.Client, name: str) -> list[consul_ffi.Instance]:
    """Waits for healthy instances, by blocking queries."""
    index = 0
    while True:
        instances = client.health.service(name, passing=True, index=index)
        if instances:
            return instances
        index = instances.meta.index


with consul_ffi.Client() as client:
    client.agent.service_register(SERVICE)
    client.agent.check_pass("service:web")

    for instance in find(client, "web"):
        print(f"{instance.service.id} at {instance.address}:{instance.port} is {instance.status}")

    # A program that lives longer reports every few seconds, well within the TTL.
    for _ in range(3):
        try:
            client.agent.check_pass("service:web")
        except consul_ffi.NotFound:
            client.agent.service_register(SERVICE)  # the agent forgot the service
        except consul_ffi.ConsulError as error:
            print(error, file=sys.stderr)  # the next one may work
        time.sleep(0.1)

    client.agent.service_deregister("web")
    print("deregistered")
