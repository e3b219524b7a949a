"""This library through its Python package: one client for all threads, which may have as many
connections as the peers have, one for each thread."""

import consul_ffi

client = consul_ffi.Client(max_connections=32)


class Worker:
    def get(self, key):
        return client.kv.get(key).value

    def list(self, prefix):
        return [pair.value for pair in client.kv.list(prefix)]

    def put(self, key, value):
        client.kv.put(key, value)


worker = Worker
