"""Where the queue's socket cannot be made the answers are polled for, which the log says."""

import rig


def main():
    rig.consul("PUT", "/kv/nginx/key", "value")
    nginx = rig.Nginx("test.conf", rig.ROOT / "tests/nginx", TMPDIR="/nowhere")
    for _ in range(20):
        assert nginx.get("/get?key=nginx/key") == (200, '"value"\n')
    before = nginx.reload()
    rig.until(lambda: not nginx.workers() & before, "the old worker ends")
    assert nginx.get("/get?key=nginx/key") == (200, '"value"\n')
    assert nginx.quit() == 0
    wrong = nginx.problems()
    assert len(wrong) == 2 and all("answers are polled for: ERR_IO" in line for line in wrong), wrong


main()
