"""py-consul with its default client, one for each thread (it holds a `requests` session)."""

import consul


class Worker:
    def __init__(self):
        self.kv = consul.Consul().kv

    def get(self, key):
        return self.kv.get(key)[1]["Value"]

    def list(self, prefix):
        return [pair["Value"] for pair in self.kv.get(prefix, recurse=True)[1]]

    def put(self, key, value):
        assert self.kv.put(key, value)


worker = Worker
