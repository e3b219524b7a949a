"""py-consul with its default client, one for each thread (it holds a `requests` session).
For calls in flight its client for asyncio, on aiohttp."""

import consul
import consul.aio


class Worker:
    def __init__(self):
        self.kv = consul.Consul().kv

    def get(self, key):
        return self.kv.get(key)[1]["Value"]

    def list(self, prefix):
        return [pair["Value"] for pair in self.kv.get(prefix, recurse=True)[1]]

    def put(self, key, value):
        assert self.kv.put(key, value)



class AsyncWorker:
    async def __aenter__(self):
        self.client = consul.aio.Consul()
        return self

    async def __aexit__(self, *error):
        await self.client.close()

    async def get(self, key):
        return (await self.client.kv.get(key))[1]["Value"]


worker = Worker
