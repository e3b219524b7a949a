"""The watches: of keys and of their prefix, through every client."""

from __future__ import annotations

import time

from consul_ffi import Client, PairsView

from cluster import PATIENCE_S, Cluster
from history import Calm, History
from workers import WATCHED, Pulse, write_surely

#: After this it counts as blind for good.
GIVE_UP_S = 20.0
#: Servers that take so long to tell something are not well.
UNWELL_S = 0.5


class Watchers:
    """All watches, and what writes what they watch."""

    def __init__(
        self, cluster: Cluster, clients: list[Client], history: History, pulse: Pulse
    ) -> None:
        self._cluster, self._history, self._pulse = cluster, history, pulse
        for key in WATCHED:
            write_surely(pulse.client, key, "the first")
        self._views: dict[str, tuple[str, PairsView]] = {}
        for number, client in enumerate(clients):
            for key in WATCHED:
                self._views[f"{key} of client {number}"] = key, client.watch.key(key).view()
            prefix = client.watch.prefix("chaos/watched/").view()
            self._views[f"prefix of client {number}"] = WATCHED[0], prefix

    def judge(self, fault: str) -> None:
        """Notes how long each watch takes to be equal to Consul, now that all is well."""
        with self._pulse.beat:
            calms: dict[str, Calm] = {}
            began = time.monotonic()
            end = began + PATIENCE_S
            while len(calms) < len(self._views) and time.monotonic() < min(began + GIVE_UP_S, end):
                # Read anew each time: a write of unknown outcome may still come.
                asked = time.monotonic()
                truth = self._cluster.indexes("chaos/watched/")
                if truth is None or time.monotonic() - asked > UNWELL_S:
                    # On a busy machine the servers lose their leader without a fault of ours.
                    began = time.monotonic()
                    time.sleep(0.05)
                    continue
                for name, (key, view) in self._views.items():
                    view.refresh()
                    pair = view.find(key)
                    if name not in calms and pair and truth[key] == pair.modify_index:
                        calms[name] = Calm(name, fault, began, time.monotonic() - began)
                time.sleep(0.05)
        for name in self._views:
            calms.setdefault(name, Calm(name, fault, began, None))
        self._history.calms += calms.values()

    def close(self) -> None:
        """Ends them."""
        for _, view in self._views.values():
            view.close()
