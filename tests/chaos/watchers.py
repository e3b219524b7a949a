"""The watches: of keys and of their prefix, through every client."""

from __future__ import annotations

import time
from typing import Optional

from consul_ffi import Client, PairsView

from cluster import Cluster
from history import Calm, History
from workers import WATCHED, Pulse

#: After this it counts as blind for good.
GIVE_UP_S = 20.0


class Watchers:
    """All watches, and what writes what they watch."""

    def __init__(
        self, cluster: Cluster, clients: list[Client], history: History, pulse: Pulse
    ) -> None:
        self._cluster, self._history, self._pulse = cluster, history, pulse
        for key in WATCHED:
            pulse.client.kv.put(key, "the first")
        self._views: dict[str, tuple[str, PairsView]] = {}
        for number, client in enumerate(clients):
            for key in WATCHED:
                self._views[f"{key} of client {number}"] = key, client.watch.key(key).view()
            prefix = client.watch.prefix("chaos/watched/").view()
            self._views[f"prefix of client {number}"] = WATCHED[0], prefix

    def judge(self, fault: str) -> None:
        """Notes how long each watch takes to be equal to Consul, now that all is well."""
        with self._pulse.beat:
            began = time.monotonic()
            took: dict[str, Optional[float]] = dict.fromkeys(self._views)
            while None in took.values() and time.monotonic() < began + GIVE_UP_S:
                # Read anew each time: a write of unknown outcome may still come.
                truth = self._cluster.indexes("chaos/watched/")
                for name, (key, view) in self._views.items():
                    view.refresh()
                    pair = view.find(key)
                    is_equal = truth and pair and truth[key] == pair.modify_index
                    if took[name] is None and is_equal:
                        took[name] = time.monotonic() - began
                time.sleep(0.05)
        self._history.calms += [Calm(name, fault, began, each) for name, each in took.items()]

    def close(self) -> None:
        """Ends them."""
        for _, view in self._views.values():
            view.close()
