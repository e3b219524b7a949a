"""A light thread waits for a lock for as long as it takes, and the worker, the only one, answers
everybody else meanwhile."""

import statistics
import threading
import time

import rig

REQUESTS = 200


def latencies(*servers):
    """How long each of many requests to these has taken, by turns: whatever else the machine does, it
    does to all of them."""
    taken = [[] for _ in servers]
    for _ in range(REQUESTS):
        for nginx, times in zip(servers, taken):
            began = time.monotonic()
            assert nginx.get("/lua")[0] == 200
            times.append(time.monotonic() - began)
    return taken


class Later(threading.Thread):
    """A request that is answered some time."""

    def __init__(self, nginx, path):
        super().__init__(daemon=True)
        self.nginx, self.path, self.answer = nginx, path, None
        self.start()

    def run(self):
        self.answer = self.nginx.get(self.path, timeout=600)


def main():
    nginx = rig.Nginx("test.conf", rig.ROOT / "tests/nginx")
    idle = rig.Nginx("test.conf", rig.ROOT / "tests/nginx")
    session = rig.consul("PUT", "/session/create", {"LockDelay": "0s", "Behavior": "delete"})["ID"]
    held = rig.consul("PUT", f"/kv/nginx/lock?acquire={session}&flags=3304740253564472344", "x")
    assert held is True

    rig.consul("PUT", "/kv/nginx/key", "value")
    waiting = [Later(nginx, "/acquire?key=nginx/lock") for _ in range(5)]
    waiting += [Later(nginx, "/change?key=nginx/key")]

    def they_wait():
        in_flight, _, waits = nginx.get("/calls")[1].split()
        return int(in_flight) >= 6 and waits == "1"

    rig.until(they_wait, "they wait")

    # All of these are answered while the others wait: that alone shows that nobody blocks.
    beside, control = latencies(nginx, idle)
    assert nginx.get("/get?key=nginx/key") == (200, '"value"\n')
    assert all(request.answer is None for request in waiting)
    print(
        "median and slowest in ms, of one that is idle: %.2f %.2f, beside six that wait: %.2f %.2f"
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

    _, slowest, _ = nginx.get("/calls")[1].split()
    print("slowest look into the queue:", slowest, "ms of CPU time")
    assert nginx.quit() == 0 and idle.quit() == 0
    wrong = nginx.problems() + idle.problems()
    assert not wrong, wrong


main()
