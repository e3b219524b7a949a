"""A worker that exits gives back its locks: when nginx reloads, quits and stops."""

import signal

import rig


def holder(key):
    pairs = rig.consul("GET", f"/kv/{key}?consistent")
    return pairs[0].get("Session")


def held_and_ended(way):
    """Holds a lock in a worker, ends the worker, and returns its nginx."""
    key = f"nginx/{way}"
    nginx = rig.Nginx("test.conf", rig.ROOT / "tests/nginx")
    assert nginx.get(f"/hold?key={key}") == (200, "true\n")
    assert holder(key)
    if way == "reload":
        before = nginx.reload()
        rig.until(lambda: not nginx.workers() & before, "the old worker ends")
        # Nobody else gives it back: the worker has done it before it went.
        assert not holder(key)
        assert nginx.quit() == 0
    else:
        nginx.process.send_signal(signal.SIGQUIT if way == "quit" else signal.SIGTERM)
        assert nginx.process.wait(rig.PATIENCE) == 0
        assert not holder(key)
    wrong = nginx.problems()
    assert not wrong, wrong


for way in ("reload", "quit", "stop"):
    held_and_ended(way)
