"""A worker that exits gives back its locks: when nginx reloads, quits and stops, and also where
nothing closes its client."""

import signal

import rig


def holder(key):
    pairs = rig.consul("GET", f"/kv/{key}?consistent")
    return pairs[0].get("Session")


def held_and_ended(way, forget):
    """Holds a lock in a worker, and ends the worker."""
    key = f"nginx/{way}-{forget}"
    nginx = rig.Nginx("test.conf", rig.ROOT / "tests/nginx")
    assert nginx.get(f"/hold?key={key}&forget={forget}") == (200, "true\n")
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
    held_and_ended(way, "no")
held_and_ended("quit", "yes")
