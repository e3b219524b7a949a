"""The options of a call as the library's `consul_options`."""

from __future__ import annotations

from contextlib import contextmanager
from ctypes import byref, c_void_p
from typing import Any, Callable, Iterator, Mapping

from . import _convert, _settings
from ._library import lib
from ._outcome import check

_CONVERT: dict[type, Callable[[Any, str], Any]] = {
    str: _convert.text,
    int: _convert.uint64,
    bool: _convert.flag,
}

#: By its name, how an option is taken, and the library's function that sets it.
_SETTERS = {
    name: (_CONVERT[kind], getattr(lib, f"consul_options_set_{name}"))
    for name, kind in _settings.OPTION_TYPES.items()
}


def _set(handle: int | None, name: str, value: Any) -> None:
    if name == "node_meta":
        for key, each in value.items():
            place = f"node_meta[{key!r}]"
            arguments = _convert.text(key, "a key of node_meta"), _convert.text(each, place)
            check(lib.consul_options_add_node_meta(handle, *arguments))
        return
    if name not in _SETTERS:
        allowed = ", ".join(sorted([*_SETTERS, "node_meta"]))
        raise TypeError(f"unknown option {name!r}; allowed are {allowed}")
    convert, setter = _SETTERS[name]
    check(setter(handle, convert(value, name)))


@contextmanager
def opened(options: Mapping[str, Any]) -> Iterator[int | None]:
    """The library's options, None where there are none; ended with the block."""
    if not options:
        yield None
        return
    out = c_void_p()
    check(lib.consul_options_new(byref(out)))
    try:
        for name, value in options.items():
            if value is not None:
                _set(out.value, name, value)
        yield out.value
    finally:
        lib.consul_options_free(out)
