"""Long waits that Ctrl-C ends, whenever it is pressed."""

from __future__ import annotations

import threading
from typing import Callable, Generic, Optional, TypeVar

from ._wait import SLICE_MS

T = TypeVar("T")


class _Work(Generic[T]):
    """A call on a thread of its own."""

    result: T
    error: Optional[BaseException] = None

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self.thread = threading.Thread(target=self._run, name="consul-wait", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # raised where it is waited for
            self.error = error


def run(call: Callable[[], T], stop: Callable[[], None]) -> T:
    """Runs a call that may wait for long, and that `stop` ends from another thread.

    Python runs the handlers of signals on the main thread, between two of its own steps. A call
    that waits again and again there would miss a signal that comes between two waits, for ever. So
    the main thread waits by itself, in slices, and the call runs on another one."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    work = _Work(call)
    try:
        while work.thread.is_alive():
            work.thread.join(SLICE_MS / 1000)
    except BaseException:
        # Again and again: the call may not have begun to wait yet.
        while work.thread.is_alive():
            stop()
            work.thread.join(SLICE_MS / 1000)
        raise
    if work.error is not None:
        raise work.error
    return work.result
