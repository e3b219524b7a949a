"""The master makes a client, a watch and a lock, and forks: the client and the watch go on in each
worker, the lock stays the master's."""

import os
import signal

import rig


def all_see(nginx, value):
    """Waits until each worker has the value, by the watch and by a call."""
    waiting = nginx.workers()

    def asked():
        pid, *rest = nginx.get("/")[1].split()
        assert rest[1:] == [value, "false", "ERR_FORKED"], rest
        if rest[0] == value:
            waiting.discard(int(pid))
        return not waiting

    rig.until(asked, f"the workers see {value}")


def holder():
    return rig.consul("GET", "/kv/fork/lock?consistent")[0].get("Session")


def main():
    rig.consul("PUT", "/kv/fork/key", "first")
    nginx = rig.Nginx("fork.conf", rig.ROOT / "tests/nginx")
    session = holder()
    assert session
    all_see(nginx, '"first"')
    rig.consul("PUT", "/kv/fork/key", "second")
    all_see(nginx, '"second"')

    # A worker that exits closes the client, and does not touch the master's lock.
    before = nginx.workers()
    ended = min(before)
    os.kill(ended, signal.SIGQUIT)
    rig.until(lambda: ended not in nginx.workers() and nginx.workers() - before, "another worker")
    assert holder() == session
    all_see(nginx, '"second"')
    assert nginx.quit() == 0
    wrong = nginx.problems()
    assert not wrong, wrong


main()
