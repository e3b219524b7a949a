"""A light thread waits for a lock for as long as it takes, and the worker, the only one, answers
everybody else meanwhile."""

import statistics
import threading
import time

import rig

REQUESTS = 200


def latencies(nginx, path):
    """How long each of many requests has taken."""
    taken = []
    for _ in range(REQUESTS):
        began = time.monotonic()
        assert nginx.get(path)[0] == 200
        taken.append(time.monotonic() - began)
    return taken


class Later(threading.Thread):
    """A request that is answered some time."""

    def __init__(self, nginx, path):
        super().__init__(daemon=True)
        self.nginx, self.path, self.answer = nginx, path, None
        self.start()

    def run(self):
        self.answer = self.nginx.get(self.path, timeout=120)


def main():
    nginx = rig.Nginx("test.conf", rig.ROOT / "tests/nginx")
    session = rig.consul("PUT", "/session/create", {"LockDelay": "0s", "Behavior": "delete"})["ID"]
    held = rig.consul("PUT", f"/kv/nginx/lock?acquire={session}&flags=3304740253564472344", "x")
    assert held is True

    rig.consul("PUT", "/kv/nginx/key", "value")
    control = latencies(nginx, "/lua")
    waiting = [Later(nginx, "/acquire?key=nginx/lock") for _ in range(5)]
    waiting += [Later(nginx, "/change?key=nginx/key")]
    rig.until(lambda: int(nginx.get("/calls")[1].split()[0]) >= 6, "they wait")

    # All of these are answered while the others wait: that alone shows that nobody blocks.
    beside = latencies(nginx, "/lua")
    assert nginx.get("/get?key=nginx/key") == (200, '"value"\n')
    assert all(request.answer is None for request in waiting)
    print(
        "median and slowest in ms, alone: %.2f %.2f, beside six that wait: %.2f %.2f"
        % tuple(1000 * f(taken) for taken in (control, beside) for f in (statistics.median, max))
    )
    # A worker that looks into the queue too often or too long would show here.
    assert statistics.median(beside) < 20 * statistics.median(control) + 0.02

    # The call of a light thread that is ended is cancelled, or it would take the lock for ever.
    def in_flight():
        return int(nginx.get("/calls")[1].split()[0])

    before = in_flight()
    assert nginx.get("/killed?key=nginx/lock")[0] == 200
    rig.until(lambda: in_flight() == before, "the abandoned call ends")

    rig.consul("PUT", "/kv/nginx/key", "changed")
    rig.until(lambda: waiting[5].answer, "the change is told")
    assert waiting[5].answer == (200, '"changed"\n'), waiting[5].answer
    rig.consul("PUT", f"/session/destroy/{session}")
    for request in waiting[:5]:
        request.join(60)
        assert request.answer == (200, "true\n"), request.answer

    _, slowest = nginx.get("/calls")[1].split()
    print("slowest look into the queue:", slowest, "ms of CPU time")
    assert nginx.quit() == 0
    wrong = nginx.problems()
    assert not wrong, wrong


main()
