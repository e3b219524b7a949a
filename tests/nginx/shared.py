"""One worker watches for all: every worker sees each change, also when the one that watches is
killed or nginx reloads, and a worker that starts late sees what there is at once."""

import os
import signal

import rig

WORKERS = 3


def seen(nginx):
    """What each worker sees, by its process."""
    found = {}

    def all_asked():
        pid, watching, state, value = nginx.get("/")[1].split()
        found[int(pid)] = (watching == "true", state, value)
        return nginx.workers() <= set(found)

    rig.until(all_asked, "every worker was asked")
    return {pid: found[pid] for pid in nginx.workers() if pid in found}


def all_see(nginx, value):
    """Waits until all workers see a value and one of them watches: which one that is."""

    def agreed():
        workers = seen(nginx)
        watching = [pid for pid, (watches, _, _) in workers.items() if watches]
        values = {(state, shown) for _, state, shown in workers.values()}
        ready = len(workers) == WORKERS and values == {("fresh", value)} and len(watching) == 1
        return watching[0] if ready else None

    return rig.until(agreed, f"all workers see {value}")


def main():
    rig.consul("PUT", "/kv/shared/key", "first")
    nginx = rig.Nginx("shared.conf", rig.ROOT / "tests/nginx")
    watching = all_see(nginx, '"first"')
    rig.consul("PUT", "/kv/shared/key", "second")
    assert all_see(nginx, '"second"') == watching

    before = nginx.workers()
    os.kill(watching, signal.SIGKILL)
    (new,) = rig.until(lambda: nginx.workers() - before, "another one")
    assert seen(nginx)[new][2] == '"second"', "who starts late sees what there is"
    rig.consul("PUT", "/kv/shared/key", "third")
    watching = all_see(nginx, '"third"')

    before = nginx.reload()
    rig.until(lambda: not nginx.workers() & before, "the old workers end")
    assert {value for _, _, value in seen(nginx).values()} == {'"third"'}
    rig.consul("PUT", "/kv/shared/key", "fourth")
    assert all_see(nginx, '"fourth"') != watching
    assert nginx.quit() == 0
    # One was killed on purpose, and leaves nothing else behind.
    wrong = [line for line in nginx.problems() if "exited on signal 9" not in line]
    assert not wrong, wrong


main()
