"""This library through its Python package: one client for all threads, which may have as many
connections as the peers have, one for each thread or call in flight."""

import consul_ffi
from consul_ffi.aio import AsyncClient

client = consul_ffi.Client(max_connections=32)


class Worker:
    def get(self, key):
        return client.kv.get(key).value

    def list(self, prefix):
        return [pair.value for pair in client.kv.list(prefix)]

    def put(self, key, value):
        client.kv.put(key, value)



class AsyncWorker:
    async def __aenter__(self):
        self.client = AsyncClient(max_connections=32)
        return self

    async def __aexit__(self, *error):
        await self.client.close()

    async def get(self, key):
        return (await self.client.kv.get(key)).value


worker = Worker
