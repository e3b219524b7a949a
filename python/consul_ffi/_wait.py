"""Waits, and how long they may still take."""

from __future__ import annotations

import math
import re
import threading
import time

from . import _abi, _outcome
from ._convert import uint64
from ._error import ConsulError

#: How late a signal is seen that came just before a wait began.
SLICE_MS = 100


def end(timeout_ms: int | None) -> float:
    """The time when a wait is over; None means never."""
    if timeout_ms is None:
        return math.inf
    return time.monotonic() + uint64(timeout_ms, "timeout_ms") / 1000


def left_ms(end: float) -> float:
    """How long a wait may still take."""
    if end == math.inf:
        return math.inf
    return max(0, math.ceil((end - time.monotonic()) * 1000))


def slice_ms(left: float) -> int:
    """How long to wait at once for the library, where -1 is for ever. The main thread, which runs
    the handlers of signals, waits in slices: a signal that comes just before one is seen after
    it."""
    if threading.current_thread() is threading.main_thread():
        return int(min(left, SLICE_MS))
    return -1 if left == math.inf else int(left)


def failed(status: int, timeout_ms: int | None) -> ConsulError:
    """The error of a wait that was made of several, by the status of the last one. The library knows
    of that one alone: how long the whole was to take is said here."""
    error = _outcome.from_status(status)
    if status == _abi.CONSUL_ERR_TIMEOUT and timeout_ms is not None:
        error.args = (re.sub(r"(?<= within )[^ :]+", f"{timeout_ms} ms", str(error), count=1),)
    return error
