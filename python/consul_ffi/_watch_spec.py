"""What is watched, and how, as the library's `consul_watch_spec`."""

from __future__ import annotations

import os
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Mapping, Sequence, Union

from . import _abi, _describe
from ._convert import optional_text, two, uint32, uint64
from ._core import Handle, Native
from ._library import lib
from ._options import OF_CALL, opened, require
from ._outcome import check

if TYPE_CHECKING:
    from typing import Literal

    from ._settings import CallOptions

    Policy = Literal["passing", "passing_or_warning", "any"]

    class WatchOptions(CallOptions, total=False):
        """How something is watched: the options of its requests, and when a change counts."""

        settle_ms: tuple[int, int]
        """Holds a change back until nothing has changed for the first time, but not longer than the
        second. What went back to what it was meanwhile is no change."""
        floor: tuple[int, int]
        """Holds a change back that would lose more than so many percent of the list at once, 1 to
        99, and delivers it when it has lasted so many milliseconds."""
        ignore_check_output: bool
        """A check whose output alone differs has not changed."""
        last_seen_index: int
        """The index of what the program knows already: a first state with this index is no
        update."""
        max_rate: int
        """How many requests a second it makes at most when all changes all the time, 1 to 1000; 10
        otherwise."""
        max_age_ms: int
        """While Consul cannot be asked, what was found longer ago is not read: `"expired"`. However
        old otherwise."""
        last_good_file: Union[str, os.PathLike[str]]
        """Keeps what was found last in this file, an absolute path, and begins with it, stale,
        until Consul has answered."""


_POLICIES = {
    "passing": _abi.CONSUL_POLICY_PASSING,
    "passing_or_warning": _abi.CONSUL_POLICY_PASSING_OR_WARNING,
    "any": _abi.CONSUL_POLICY_ANY,
}


def _set_settle(spec: Any, value: tuple[int, int], place: str) -> None:
    shortest, longest = two(value, place, "two ints (shortest, longest)")
    times = uint64(shortest, f"{place}.shortest"), uint64(longest, f"{place}.longest")
    check(lib.consul_watch_spec_set_settle_ms(spec, *times))


def _set_floor(spec: Any, value: tuple[int, int], place: str) -> None:
    percent, hold_ms = two(value, place, "two ints (percent, hold_ms)")
    numbers = uint32(percent, f"{place}.percent"), uint64(hold_ms, f"{place}.hold_ms")
    check(lib.consul_watch_spec_set_floor(spec, *numbers))



_SETTERS: dict[str, _describe.Setter] = {
    "tags": _describe.each(_describe.text(lib.consul_watch_spec_add_tag)),
    "policy": _describe.choice(lib.consul_watch_spec_set_policy, _POLICIES),
    "settle_ms": _set_settle,
    "floor": _set_floor,
    "ignore_check_output": _describe.flag(lib.consul_watch_spec_set_ignore_check_output),
    "last_seen_index": _describe.uint64(lib.consul_watch_spec_set_last_seen_index),
    "max_rate": _describe.uint32(lib.consul_watch_spec_set_max_rate),
    "max_age_ms": _describe.uint64(lib.consul_watch_spec_set_max_age_ms),
    "last_good_file": _describe.file_name(lib.consul_watch_spec_set_last_good_file),
}

#: Of those of a call all but the index, which is the watch's own.
_OF_SERVICE = OF_CALL - {"index"} | _SETTERS.keys()
_OF_OTHERS = _OF_SERVICE - {"tags", "policy"}


def start(
    native: Native,
    kind: int,
    name: str | None,
    given: Mapping[str, Any],
    queue: int | None = None,
    tag: int = 0,
) -> Handle:
    """Starts a watch of a kind, whose events arrive in a queue, if there is one."""
    require(given, _OF_SERVICE if kind == _abi.CONSUL_WATCH_SERVICE else _OF_OTHERS)
    spec, out = c_void_p(), c_void_p()
    check(lib.consul_watch_spec_new(kind, optional_text(name, "name"), byref(spec)))
    try:
        for field, value in given.items():
            if field in _SETTERS and value is not None:
                _SETTERS[field](spec, value, field)
        options = {field: value for field, value in given.items() if field not in _SETTERS}
        with opened(options) as settings:
            check(lib.consul_watch_spec_set_options(spec, settings))
        native.check(lib.consul_watch_start(native.handle.value, spec, queue, tag, byref(out)))
        return Handle(out.value, lib.consul_watch_free)
    finally:
        lib.consul_watch_spec_free(spec)
