"""Ten reloads with watches, a campaign that never ends and requests that wait leave no worker
behind, and stay under the agent's limit of connections."""

import os
import threading

import rig

RELOADS = 10
# Of the agent, for one address of clients (http_max_conns_per_client).
LIMIT = 200


def connections():
    """The agent's sockets that somebody is or was connected to."""
    port = "%04X" % int(rig.CONSUL.rpartition(":")[2])
    count = 0
    with open("/proc/net/tcp", encoding="ascii") as sockets:
        for line in sockets:
            fields = line.split()
            # ESTABLISHED and CLOSE_WAIT, at the agent's end.
            if fields[1].endswith(":" + port) and fields[3] in ("01", "08"):
                count += 1
    return count


def late(nginx, answers):
    answers.append(nginx.get("/late?key=nginx/key"))


def main():
    session = rig.consul("PUT", "/session/create", {"Behavior": "release"})["ID"]
    acquire = f"/kv/nginx/led?acquire={session}&flags=3304740253564472344"
    # A campaign of another test may have left a lock-delay.
    rig.until(lambda: rig.consul("PUT", acquire, "x") is True, "the key is free")
    rig.consul("PUT", "/kv/nginx/key", "value")

    nginx = rig.Nginx("test.conf", rig.ROOT / "tests/nginx")
    most, answers, threads = 0, [], []
    for _ in range(RELOADS):
        rig.until(lambda: nginx.get("/ready")[1] == "fresh\n", "the view is filled")
        # A request that awaits something after its worker was told to exit is served.
        thread = threading.Thread(target=late, args=(nginx, answers))
        thread.start()
        threads.append(thread)
        # Otherwise the next worker might be the one that it reaches.
        rig.until(lambda: nginx.get("/calls")[1].split()[2] == "1", "it waits")
        before = nginx.reload()
        rig.until(lambda: not nginx.workers() & before, "the old worker ends")
        most = max(most, connections())
    for thread in threads:
        thread.join()
    print("connections at most:", most)
    assert most < LIMIT, most
    assert len(nginx.workers()) == 1
    assert answers == [(200, '"value"\n')] * RELOADS, answers

    # The last worker is told of changes.
    rig.consul("PUT", "/kv/nginx/key", "changed")
    assert nginx.get("/get?key=nginx/key") == (200, '"changed"\n')

    log = nginx.log.read_text()
    assert log.count("followed: nil ERR_CLOSED: the worker is exiting") == RELOADS
    assert log.count("campaign: nil ERR_CANCELLED") == RELOADS
    assert nginx.quit() == 0
    left = [name for name in os.listdir(nginx.prefix) if name.startswith("consul_ffi")]
    assert not left, left
    wrong = nginx.problems()
    assert not wrong, wrong


main()
